"""Forms of the inbox."""

from typing import Any

from django import forms

from .models import KeywordRule
from .office_hours import WEEKDAYS
from .ruling import RuleDetails


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


class RuleForm(forms.Form):
    """A keyword rule."""

    name = forms.CharField(label="Name", max_length=200, help_text="Seen by members only.")
    match = forms.ChoiceField(label="When", choices=KeywordRule.Match.choices)
    words = forms.CharField(
        label="Words",
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, or with commas between. Case and accents do not count.",
    )
    reply = forms.CharField(
        label="Answer",
        required=False,
        strip=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Sent from the number that was written to. Empty: no answer.",
    )
    pause_minutes = forms.IntegerField(
        label="Minutes between two answers to one number",
        required=False,
        min_value=1,
        max_value=10_080,
        initial=60,
        help_text="The guard against two machines that answer each other.",
    )
    tag = forms.CharField(label="Tag the contact with", required=False, max_length=200)
    opts_out = forms.BooleanField(
        label="Opt the number out",
        required=False,
        help_text="As STOP does: nothing is sent until the person texts START.",
    )

    def details(self) -> RuleDetails:
        """Return what the valid form says."""
        data = self.cleaned_data
        return RuleDetails(
            name=data["name"],
            match=data["match"],
            words=data["words"],
            reply=data["reply"],
            tag=data["tag"],
            opts_out=data["opts_out"],
            pause_minutes=data["pause_minutes"] or 60,
        )


class HoursForm(forms.Form):
    """Office hours: one span a day, an empty one is a day off."""

    is_on = forms.BooleanField(label="Answer outside office hours", required=False)
    text = forms.CharField(
        label="Answer",
        required=False,
        strip=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="At most once an hour to one number, never to somebody who opted out.",
    )
    holidays = forms.CharField(
        label="Days on which nobody is there",
        required=False,
        max_length=8_000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026-12-25 Christmas"}),
        help_text="One date a line, like 2026-12-25; words behind it are for you.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day, name in enumerate(WEEKDAYS):
            for edge, label in (("from", "from"), ("until", "until")):
                self.fields[f"{edge}_{day}"] = forms.TimeField(
                    label=f"{name} {label}",
                    required=False,
                    widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                    error_messages={"invalid": "Write a time, like 09:00."},
                )

    def days(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Return each weekday with its two fields."""
        return [(name, self[f"from_{day}"], self[f"until_{day}"]) for day, name in enumerate(WEEKDAYS)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for day, name in enumerate(WEEKDAYS):
            begin, end = cleaned.get(f"from_{day}"), cleaned.get(f"until_{day}")
            if (begin is None) != (end is None):
                self.add_error(f"until_{day}", f"{name}: write both times, or neither for a day off.")
            elif begin is not None and end is not None and end <= begin:
                self.add_error(f"until_{day}", f"{name}: the end must be later than the beginning.")
        return cleaned

    def hours(self) -> list[tuple[int, str, str]]:
        """Return the rows of the valid form."""
        data = self.cleaned_data
        return [
            (day, f"{data[f'from_{day}']:%H:%M}", f"{data[f'until_{day}']:%H:%M}")
            for day in range(len(WEEKDAYS))
            if data.get(f"from_{day}") is not None
        ]
