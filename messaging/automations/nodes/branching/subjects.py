"""What a condition may ask of the contact beside its fields: whether it opted out, agreed to marketing, has a tag."""

import uuid
from collections.abc import Mapping
from typing import Any

from integrations.organizations.models import as_uuid
from messaging.automations.base import Scope, Step
from messaging.automations.fields import Type
from messaging.automations.nodes.picking import tags
from messaging.consent.blocking import find_block
from messaging.consent.ledger import State, state_of
from messaging.consent.models import ConsentPurpose
from messaging.contacts.models import Tag

OPTED_OUT, CONSENT, TAG = ":opted_out", ":consent", ":tag:"
MOST_TAGS_OFFERED = 300


def subject_of(condition: Mapping[str, Any]) -> str:
    """Return what a condition is about, as the form offers it; a tag's id is kept apart, so that files can name it."""
    what, tag = str(condition.get("what", "")), condition.get("tag")
    return f"{TAG}{tag}" if tag and what == TAG.rstrip(":") else what


def kept_as(what: str) -> dict[str, str]:
    """Return what the form offers as a condition keeps it."""
    return {"what": TAG.rstrip(":"), "tag": what.removeprefix(TAG)} if what.startswith(TAG) else {"what": what}


def offered(scope: Scope) -> dict[str, str]:
    """Return what can be asked of the contact where the step stands: key → words."""
    if not scope.has_contact:
        return {}
    return {
        OPTED_OUT: "Contact: opted out",
        CONSENT: "Contact: agreed to marketing",
        **{f"{TAG}{pk}": f"Contact: has the tag {name}" for pk, name in tags(scope)[:MOST_TAGS_OFFERED]},
    }


def types_of(scope: Scope) -> Mapping[str, Type]:
    """Return what can be compared where the step stands, and its type."""
    return {**{field.path: field.type for field in scope.fields}, **dict.fromkeys(offered(scope), Type.YES_NO)}


def words_of(step: Step, what: str) -> str:
    """Return what a condition asks of the contact, as a run's page has it."""
    if not what.startswith(TAG):
        return "Contact: opted out" if what == OPTED_OUT else "Contact: agreed to marketing"
    key = as_uuid(what.removeprefix(TAG))
    tag = Tag.objects.filter(organization=step.organization, pk=key).first() if key else None
    return f"Contact: has the tag {tag}" if tag is not None else "Contact: has a tag that was deleted"


def answer(step: Step, what: str) -> bool | None:
    """Return whether it is so of the contact; None where there is nobody."""
    phone = step.contact.phone if step.contact is not None else step.run.phone
    if what == OPTED_OUT:
        purpose = ConsentPurpose.TRANSACTIONAL.value
        return find_block(step.organization, phone=phone, purpose=purpose) is not None if phone else None
    if what == CONSENT:
        state = state_of(step.organization, phone=phone) if phone else None
        return state is not None and state.state == State.GRANTED if phone else None
    key: uuid.UUID | None = as_uuid(what.removeprefix(TAG))
    if step.contact is None or key is None:
        return None
    return step.contact.tags.filter(organization=step.organization, pk=key).exists()
