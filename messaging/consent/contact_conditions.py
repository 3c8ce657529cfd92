"""Choosing contacts by what they agreed to: conditions for the filters of the address book."""

from django.db.models import Exists, OuterRef, Q

from integrations.organizations.models import Organization
from messaging.contacts.filters import register_consent_condition

from .models import ConsentPurpose, ConsentState

State = ConsentState.State


def register_conditions() -> None:
    """Offer the conditions; called when the wing is ready."""
    register_consent_condition("marketing", words="Agreed to marketing", condition=_agreed)
    register_consent_condition("no_marketing", words="Did not agree to marketing", condition=_did_not_agree)
    register_consent_condition("withdrawn", words="Took marketing back", condition=_took_back)
    register_consent_condition("pending", words="Asked to confirm, not answered", condition=_pending)


def _with_state(state: str) -> Exists:
    return Exists(
        ConsentState.objects.filter(
            organization=OuterRef("organization"),
            phone=OuterRef("phone"),
            channel="sms",
            purpose=ConsentPurpose.MARKETING,
            state=state,
        )
    )


def _agreed(organization: Organization) -> Q:
    return Q(_with_state(State.GRANTED))


def _did_not_agree(organization: Organization) -> Q:
    return ~Q(_with_state(State.GRANTED))


def _took_back(organization: Organization) -> Q:
    return Q(_with_state(State.WITHDRAWN))


def _pending(organization: Organization) -> Q:
    return Q(_with_state(State.PENDING))
