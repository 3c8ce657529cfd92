"""Forms around automations and their runs: what is looked for, and how much one of them may do."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms

from .models import Automation, Run
from .run_filter import RunFilter

_CHOICES_OF_STATUS = [("", "All but archived"), *Automation.Status.choices, ("all", "Every status")]
_TESTS = [("", "With tests"), ("no", "Without tests"), ("only", "Tests only")]
MOST_HOURS, MOST_COUNT, MOST_A_MINUTE = 24 * 365, 1_000_000, 100_000


class AutomationFilterForm(forms.Form):
    """The filters of the list of automations; what cannot be read is left out."""

    q = forms.CharField(label="Name", required=False, max_length=120)
    status = forms.ChoiceField(label="Status", required=False, choices=_CHOICES_OF_STATUS)

    def wanted(self) -> dict[str, str]:
        """Return the filter, of the fields that could be read."""
        self.is_valid()
        return {"query": self.cleaned_data.get("q") or "", "status": self.cleaned_data.get("status") or ""}


class RunFilterForm(forms.Form):
    """The filters of a list of runs; what cannot be read is left out."""

    query = forms.CharField(
        label="Name or number",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "search"}),
    )
    automation = forms.ChoiceField(label="Automation", required=False)
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Every status"), *Run.Status.choices])
    node = forms.ChoiceField(label="Stands at", required=False)
    reason = forms.ChoiceField(label="Reason", required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    tests = forms.ChoiceField(label="Tests", required=False, choices=_TESTS)

    def __init__(
        self,
        *args: Any,
        reasons: Sequence[tuple[str, str]] = (),
        nodes: Sequence[tuple[str, str]] = (),
        automations: Sequence[tuple[uuid.UUID, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        offered: dict[str, tuple[str, Sequence[tuple[Any, str]]]] = {
            "automation": ("Every automation", [(str(pk), name) for pk, name in automations]),
            "node": ("Every step", nodes),
            "reason": ("Every reason", reasons),
        }
        for name, (every, choices) in offered.items():
            if choices:
                self.fields[name].choices = [("", every), *choices]  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    def wanted(self) -> RunFilter:
        """Return the filter, of the fields that could be read."""
        self.is_valid()
        typed = self.cleaned_data
        days = {name: typed[name].isoformat() for name in ("since", "until") if typed.get(name)}
        texts = {name: str(typed.get(name) or "") for name in typed if name not in {"since", "until"}}
        return RunFilter(**{**texts, **days})


class SettingsOfAutomationForm(forms.Form):
    """What an automation is called, and how much it may do."""

    name = forms.CharField(label="Name", max_length=120)
    cap_count = forms.IntegerField(
        label="Most runs for one number",
        required=False,
        min_value=1,
        max_value=MOST_COUNT,
        help_text="Empty: as often as it happens.",
    )
    cap_hours = forms.IntegerField(
        label="Within hours", min_value=1, max_value=MOST_HOURS, help_text="24 is a day, 168 a week."
    )
    per_minute = forms.IntegerField(
        label="Most runs that begin in a minute",
        required=False,
        min_value=1,
        max_value=MOST_A_MINUTE,
        help_text="What is more waits for its turn; nothing is lost. Empty: all at once.",
    )
