"""An organization's rules of consent: its own, or ours while it has set none."""

from integrations.organizations.models import Organization

from .keyword_presets import PRESETS
from .models import ConsentPolicy


def policy_of(organization: Organization) -> ConsentPolicy:
    """Return the organization's policy, or an unsaved one with our defaults: its own language beside English."""
    found = ConsentPolicy.objects.filter(organization=organization).first()
    if found is not None:
        return found
    own = organization.language.split("-")[0]
    return ConsentPolicy(organization=organization, languages=[own] if own in PRESETS else [])
