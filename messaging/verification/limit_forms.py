"""The form of the page of verification limits."""

from typing import Any

from django import forms

from integrations.organizations.models import Organization
from integrations.organizations.places import regions
from integrations.phones import region_name

from .limit_models import VerificationPolicy
from .limits import LIMITS


class LimitsForm(forms.Form):
    """A figure for each limit, empty for ours, and the countries that codes are sent to beside the own one."""

    use_required_attribute = False

    regions = forms.MultipleChoiceField(
        required=False,
        label="Further countries",
        choices=regions,
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = region_name(organization.default_region)
        self.fields["regions"].help_text = (
            f"Codes are sent to numbers of {own}, and of the countries chosen here. "
            "Hold Ctrl or ⌘ to choose several. Choose only where your visitors are: others cost you money. "
            "API keys and members are held to it once a country is chosen."
        )
        for limit in LIMITS.values():
            self.fields[limit.name] = forms.IntegerField(
                required=False,
                min_value=limit.least,
                max_value=limit.most,
                label=f"{limit.title}: {limit.unit}",
                help_text=f"{limit.help} Empty: {limit.figure:,}.",
                widget=forms.NumberInput(attrs={"placeholder": str(limit.figure)}),
            )
        self.order_fields([*LIMITS, "regions"])

    @classmethod
    def of(cls, organization: Organization, policy: VerificationPolicy) -> "LimitsForm":
        """Return the form as the policy stands."""
        initial = {name: getattr(policy, name) for name in (*LIMITS, "regions")}
        return cls(organization=organization, initial=initial)
