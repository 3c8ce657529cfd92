"""What is known where: the fields that a node may use, and the values that a run has for them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.contacts.attributes import definitions_of
from messaging.contacts.models import AttributeDefinition, Contact
from messaging.templates.variables import contact_values

from .base import Scope
from .fields import Field, Type
from .flow import Flow
from .models import Automation, Run
from .registry import node_of, trigger_of

_TYPES = {
    AttributeDefinition.Kind.TEXT: Type.TEXT,
    AttributeDefinition.Kind.NUMBER: Type.NUMBER,
    AttributeDefinition.Kind.DATE: Type.DATE,
    AttributeDefinition.Kind.MOMENT: Type.MOMENT,
    AttributeDefinition.Kind.YES_NO: Type.YES_NO,
    AttributeDefinition.Kind.CHOICE: Type.CHOICE,
}
_CONTACT = (
    Field("contact.name", "Contact: name", Type.TEXT, "Anna Schmidt"),
    Field("contact.first_name", "Contact: first name", Type.TEXT, "Anna"),
    Field("contact.phone", "Contact: number", Type.PHONE, "+49 30 123456"),
    Field("contact.email", "Contact: e-mail", Type.TEXT, "anna@example.com"),
    Field("contact.language", "Contact: language", Type.TEXT, "en"),
    Field("contact.country", "Contact: country", Type.TEXT, "DE"),
)
_ALWAYS = (
    Field("organization", "Your organization’s name", Type.TEXT, "Acme"),
    Field("run.started_at", "When the run began", Type.MOMENT, "2026-03-01T09:00:00+00:00"),
)


def contact_fields(organization: Organization) -> list[Field]:
    """Return the fields of a contact, its attributes included."""
    own = [
        Field(f"contact.{one.key}", f"Contact: {one.label}", _TYPES[AttributeDefinition.Kind(one.kind)], one.label,
              tuple(str(choice) for choice in one.choices))
        for one in definitions_of(organization)
    ]  # fmt: skip
    return [*_CONTACT, *own]


def scope_at(
    organization: Organization, flow: Flow, node_id: str = "", *, automation: Automation | None = None
) -> Scope:
    """Return what is known where a node stands; without an id, where the trigger stands: nothing yet."""
    if node_id:
        return scopes_of(organization, flow, automation=automation, up_to=node_id)[node_id]
    trigger = trigger_of(flow.trigger)
    has_contact = trigger is not None and trigger.brings_contact(flow.trigger_settings)
    return Scope(organization, flow=flow, automation=automation, has_contact=has_contact)


def scopes_of(
    organization: Organization, flow: Flow, *, automation: Automation | None = None, up_to: str = ""
) -> dict[str, Scope]:
    """Return the scope of each node, by its id, and "" is the trigger's; with `up_to` those above it are enough."""
    trigger, bare = trigger_of(flow.trigger), scope_at(organization, flow, automation=automation)
    first: list[Field] = list(_ALWAYS)
    if bare.has_contact:
        first += contact_fields(organization)
    if trigger is not None:
        first += trigger.fields(bare, flow.trigger_settings)
    outputs: dict[str, list[Field]] = {}
    scopes = {"": bare}
    for spec in flow.walk():
        known = [field for before in flow.before(spec.id) for field in outputs.get(before.id, ())]
        scope = replace(bare, fields=(*first, *known), node_id=spec.id)
        scopes[spec.id] = scope
        if spec.id == up_to:
            break
        node = node_of(spec.kind)
        outputs[spec.id] = node.fields(scope, spec.settings) if node is not None else []
    return scopes


def values_of(run: Run, *, contact: Contact | None, organization: Organization) -> dict[str, Any]:
    """Return what a run knows now, as texts and conditions look it up."""
    started = run.started_at or timezone.now()
    return {
        **dict(run.data.get("nodes", {})),
        "trigger": run.data.get("trigger", {}),
        "contact": contact_record(contact, organization) if contact is not None else run.data.get("contact", {}),
        "organization": organization.name,
        "run": {"id": str(run.pk), "started_at": started.isoformat()},
    }


def contact_record(contact: Contact, organization: Organization) -> dict[str, Any]:
    """Return the contact's own fields, its attributes with their types: they win over names like `phone`."""
    shown = contact_values(contact, organization).get("contact")
    texts = dict(shown) if isinstance(shown, Mapping) else {}
    own = {"language": contact.language, "country": contact.region, "phone": contact.phone}
    return {**texts, **contact.attributes, **{name: value for name, value in own.items() if value}}
