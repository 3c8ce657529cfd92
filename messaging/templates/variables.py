"""What a template may say about the contact and the organization without being told."""

from collections.abc import Iterable, Mapping

from integrations.organizations.models import Organization
from integrations.phones import pretty
from messaging.consent.links import VARIABLE, link_of, sample_link
from messaging.contacts.attributes import definitions_of, shown
from messaging.contacts.models import Contact

# Name → what it stands for, in the order the editor offers them.
OFFERED = {
    "name": "the contact’s name",
    "first_name": "its first word",
    "phone": "the contact’s number",
    "email": "the contact’s e-mail address",
    "organization": "your organization’s name",
    VARIABLE: "a link by which they unsubscribe",
}
_SAMPLES = {
    "name": "Anna Schmidt",
    "first_name": "Anna",
    "phone": "+49 30 123456",
    "email": "anna@example.com",
}


def contact_values(contact: Contact | None, organization: Organization) -> dict[str, object]:
    """Return the values that are known, as `{{ name }}` and as `{{ contact.name }}`.

    What the contact lacks is left out: sending then takes the template's fallback, or asks.
    """
    values: dict[str, object] = {"organization": organization.name}
    if contact is None:
        return values
    values[VARIABLE] = link_of(organization, phone=contact.phone)
    known = {
        "name": contact.name,
        "first_name": contact.name.split(" ")[0],
        "phone": pretty(contact.phone),
        "email": contact.email,
    }
    known = {name: value for name, value in known.items() if value}
    return {**values, **known, "contact": {**attribute_values(contact, organization), **known}}


def attribute_values(contact: Contact, organization: Organization) -> dict[str, str]:
    """Return the contact's attributes as texts; a template writes them as `{{ contact.plan }}`."""
    if not contact.attributes:
        return {}
    every = definitions_of(organization, with_archived=True)
    texts = {one.key: shown(one, contact.attributes[one.key]) for one in every if one.key in contact.attributes}
    return {key: text for key, text in texts.items() if text}


def offered(organization: Organization) -> dict[str, str]:
    """Return what a template may say without being told: name → what it stands for."""
    kept = {f"contact.{one.key}": f"the contact’s {one.label}" for one in definitions_of(organization)}
    return {**OFFERED, **kept}


def sample_values(names: Iterable[str], organization: Organization) -> dict[str, str]:
    """Return something to show for each variable while no contact is chosen; an unknown one shows its own name."""
    known = {**_SAMPLES, "organization": organization.name, VARIABLE: sample_link()}
    return {name: known.get(name.removeprefix("contact."), name.split(".")[-1].replace("_", " ")) for name in names}


def nest(flat: Mapping[str, str]) -> dict[str, object]:
    """Return values named `order.id` as the records a template looks into; empty ones are left out."""
    nested: dict[str, object] = {}
    for name, value in flat.items():
        if not value:
            continue
        *path, last = name.split(".")
        place = nested
        for part in path:
            inside = place.setdefault(part, {})
            if not isinstance(inside, dict):
                break
            place = inside
        else:
            place[last] = value
    return nested


def overlay(known: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """Return the known values with the given ones on top, record by record: `contact.name` leaves `contact.email`."""
    merged = dict(known)
    for name, value in given.items():
        under = merged.get(name)
        merged[name] = overlay(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged
