"""Choose contacts by what they agreed to: the conditions that a filter of contacts offers."""

from django.db.models import Exists, OuterRef, Q

from integrations.organizations.models import Organization

from .models import ConsentPurpose, ConsentState

AGREED, NOT_AGREED, TOOK_BACK = "marketing", "no_marketing", "withdrawn"


def agreed(organization: Organization) -> Q:
    """Return the condition that a contact's number agreed to marketing by SMS."""
    return _stands(organization, ConsentState.State.GRANTED)


def not_agreed(organization: Organization) -> Q:
    """Return the condition that it did not, or not any more."""
    return ~agreed(organization)


def took_back(organization: Organization) -> Q:
    """Return the condition that it agreed or was asked once, and took that back."""
    return _stands(organization, ConsentState.State.WITHDRAWN)


def _stands(organization: Organization, state: str) -> Q:
    rows = ConsentState.objects.filter(
        organization=organization,
        phone=OuterRef("phone"),
        channel="sms",
        purpose=ConsentPurpose.MARKETING,
        state=state,
    )
    return Q(Exists(rows))
