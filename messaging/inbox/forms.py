"""Forms of the inbox."""

from django import forms


class ReplyForm(forms.Form):
    """An answer; `nonce` makes a second press of the same button no second message."""

    body = forms.CharField(
        label="Reply",
        strip=False,
        max_length=20_000,
        error_messages={"required": "Write the answer first."},
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "Your answer…", "autocomplete": "off"}),
    )
    nonce = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class CannedReplyForm(forms.Form):
    """A reply kept ready."""

    name = forms.CharField(label="Name", max_length=200, help_text="Seen by members only: “Opening hours”.")
    body = forms.CharField(
        label="Text",
        strip=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Variables as in templates: {{ first_name | “there” }}, {{ name }}, {{ organization }}.",
    )
