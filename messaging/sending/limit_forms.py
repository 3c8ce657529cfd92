"""Forms of the page of sending limits."""

from datetime import time
from typing import Any

from django import forms

from integrations.organizations.places import regions

from .limit_models import SendingPolicy
from .outbox import EnqueueProblem, read_sender


class PolicyForm(forms.Form):
    """What an organization allows itself."""

    use_required_attribute = False

    daily_cap = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100_000_000,
        label="Messages a day",
        help_text="Of all kinds together, codes too. What is over it waits for the next day. Empty: no limit.",
    )
    is_quiet = forms.BooleanField(
        required=False,
        label="Send no marketing at night",
        help_text="By the clock where the recipient is. Transactional messages and codes always go.",
    )
    quiet_from = forms.TimeField(
        label="Quiet from", initial=time(20), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label="Quiet until", initial=time(8), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    blocked_regions = forms.MultipleChoiceField(
        required=False,
        label="Countries not sent to",
        choices=regions,
        help_text="Hold Ctrl or ⌘ to choose several. A message to a number there is refused before it is queued.",
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )

    @classmethod
    def of(cls, policy: SendingPolicy) -> "PolicyForm":
        """Return the form as the policy stands."""
        return cls(initial={name: getattr(policy, name) for name in cls.base_fields})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("quiet_from") is not None and cleaned.get("quiet_from") == cleaned.get("quiet_until"):
            self.add_error("quiet_until", "Quiet hours need an end: choose another time than the beginning.")
        return cleaned


class SpeedForm(forms.Form):
    """How fast one sender of a connection may send."""

    use_required_attribute = False

    sender = forms.CharField(
        max_length=40,
        label="Sender",
        help_text="A number of yours, a sender ID, or a Messaging Service SID.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    mps = forms.DecimalField(
        required=False,
        min_value=0.01,
        max_value=10_000,
        max_digits=7,
        decimal_places=2,
        label="Messages per second",
        help_text="A message of three segments counts three times. Empty: no limit of ours.",
    )

    def clean_sender(self) -> str:
        try:
            return read_sender(self.cleaned_data["sender"])
        except EnqueueProblem as problem:
            raise forms.ValidationError(problem.detail) from problem
