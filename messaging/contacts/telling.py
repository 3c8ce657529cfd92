"""Tell whoever listens what became of contacts: made, or changed in which fields. Tags are told by `tagging.py`."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from messaging.happenings.telling import Told, tell_many

from .models import Contact

CREATED, CHANGED = "contact.created", "contact.changed"
# Fields whose former and new values are told: no number, address or note is kept once more.
_WITH_VALUES = ("name", "language", "time_zone")
_BARE = ("phone", "email", "notes")


def tell_created(organization_id: uuid.UUID, contacts: Iterable[Contact], *, source: str) -> int:
    """Tell that contacts were made: by a member, by a system (API, form), by an import, or because they wrote."""
    told = [Told(contact_id=one.pk, phone=one.phone, data={"source": source}) for one in contacts]
    return tell_many(organization_id, CREATED, told)


def tell_changed(organization_id: uuid.UUID, changes: Iterable[tuple[Contact, Mapping[str, Any]]]) -> int:
    """Tell what changed of contacts: each as it is now, with the former values of the fields that changed."""
    told = (_told(contact, former) for contact, former in changes)
    return tell_many(organization_id, CHANGED, [one for one in told if one is not None])


def _told(contact: Contact, former: Mapping[str, Any]) -> Told | None:
    old: dict[str, Any] = {name: former[name] for name in _WITH_VALUES if name in former}
    new: dict[str, Any] = {name: getattr(contact, name) for name in old}
    changed = [*old, *(name for name in _BARE if name in former)]
    before, after = former.get("attributes", contact.attributes), contact.attributes
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            changed.append(key)
            old[key], new[key] = before.get(key), after.get(key)
    if not changed:
        return None
    return Told(contact_id=contact.pk, phone=contact.phone, data={"changed": changed, "old": old, "new": new})
