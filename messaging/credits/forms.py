"""What an organization sets for its platform SMS."""

from typing import Any

from django import forms

from integrations.platform_sms.models import PlatformPolicy
from integrations.platform_sms.policies import LONGEST_SIGNATURE, as_signature


class PlatformForm(forms.Form):
    """The signature of domestic texts, and when to warn."""

    use_required_attribute = False

    signature = forms.CharField(
        required=False,
        max_length=LONGEST_SIGNATURE,
        label="Signature",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    warn_below = forms.DecimalField(
        min_value=0,
        max_digits=14,
        decimal_places=4,
        label="Warn below",
        help_text="Owners and admins hear of it once the credits fall below this.",
    )

    def __init__(self, *args: Any, usual: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "signature"
        ].help_text = f"Stands in 【】 before each text to Mainland China and is counted with it. Empty: {usual}."

    @classmethod
    def of(cls, policy: PlatformPolicy) -> "PlatformForm":
        """Return the form as the policy stands."""
        initial = {"signature": policy.signature, "warn_below": f"{policy.warn_below.normalize():f}"}
        return cls(initial=initial, usual=as_signature(policy.organization.name))

    def clean_signature(self) -> str:
        return as_signature(self.cleaned_data["signature"])
