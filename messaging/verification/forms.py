"""Forms of the verification pages."""

from django import forms

from .models import Verification
from .selectors import VerificationFilter


class VerificationFilterForm(forms.Form):
    """The filters of the list; what cannot be read is left out, never an error page."""

    q = forms.CharField(label="Number or SID", required=False, max_length=80)
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "Every status"), *Verification.Status.choices]
    )
    asker = forms.ChoiceField(
        label="Asked by", required=False, choices=[("", "Everybody"), *Verification.AskerKind.choices]
    )

    def wanted(self) -> VerificationFilter:
        """Return the filter, of the fields that could be read."""
        self.is_valid()
        data = self.cleaned_data
        return VerificationFilter(
            query=(data.get("q") or "").replace("\x00", ""),
            status=data.get("status") or "",
            asker=data.get("asker") or "",
        )


class TryForm(forms.Form):
    """A code to a number of one's own, to see that it works."""

    to = forms.CharField(
        label="Number",
        max_length=60,
        help_text="A phone that you have at hand, in any writing.",
        error_messages={"required": "Write a number."},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "placeholder": "+49 151 12345678"}),
    )
    channel = forms.ChoiceField(
        label="Sent by",
        choices=[
            (Verification.Channel.SMS, "SMS"),
            (Verification.Channel.CALL, "Call"),
            (Verification.Channel.WHATSAPP, "WhatsApp"),
        ],
    )


class CodeForm(forms.Form):
    """The code that arrived."""

    code = forms.CharField(
        label="Code",
        max_length=400,
        error_messages={"required": "Enter the code."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
