"""Who has to forget something when a person is erased: each room registers its own part from `AppConfig.ready()`."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from integrations.organizations.models import Organization


@dataclass(frozen=True)
class Person:
    """Whom to forget: the contact, the numbers that are nobody else's, each with the key that replaces it.

    `messages` are the ids of all messages with the person.
    """

    organization: Organization
    contact_id: uuid.UUID
    keys: Mapping[str, str]
    messages: frozenset[uuid.UUID] = field(default_factory=frozenset)

    @property
    def phones(self) -> list[str]:
        return list(self.keys)


# Forgets, in the caller's transaction, and returns how many rows; the name is that of the rows in words.
Eraser = Callable[[Person], int]
_erasers: dict[str, Eraser] = {}


def register_eraser(what: str, eraser: Eraser) -> None:
    """Have a room forget its part of an erased person; `what` are its rows in words, like "conversations"."""
    _erasers[what] = eraser


def erase_everywhere(person: Person) -> dict[str, int]:
    """Let every room forget the person; return how many rows of what."""
    return {what: eraser(person) for what, eraser in _erasers.items()}
