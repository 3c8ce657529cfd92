"""What settings name by its id: templates, tags, filters … told apart by asking who knows the id.

In a file that goes to another organization an id is replaced by `{"$": kind, "name": …}`, and found there by name.
A wing above registers its own kinds.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from integrations.connections.models import Connection
from integrations.connections.selectors import connections_of
from integrations.organizations.models import Organization, as_uuid
from messaging.contacts.models import SavedFilter, Tag
from messaging.templates.selectors import active_templates

MARK = "$"


@dataclass(frozen=True)
class Kind:
    """Something that settings name: what it is called, the organization's rows, and the field with their names."""

    key: str
    word: str
    rows: Callable[[Organization], QuerySet[Any]]
    name: str = "name"


@dataclass(frozen=True)
class Missing:
    """Something that a file names and that is not here."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"the {self.kind.word} “{self.name}”"


_kinds: dict[str, Kind] = {}


def register_reference(kind: Kind) -> None:
    """Let settings name rows of this kind, in files too."""
    _kinds[kind.key] = kind


def named(organization: Organization, settings: Any) -> tuple[Any, list[Model]]:
    """Return settings with a name for each id, and the rows that were named; what nobody knows is left out."""
    rows: list[Model] = []

    def replace(value: Any) -> Any:
        key = _id_in(value)
        if key is None:
            return value
        for kind in _kinds.values():
            row = kind.rows(organization).filter(pk=key).first()
            if row is not None:
                rows.append(row)
                return {MARK: kind.key, "name": str(getattr(row, kind.name))}
        return None

    return _walk(settings, replace), rows


def resolved(organization: Organization, settings: Any) -> tuple[Any, list[Missing]]:
    """Return settings with the ids that names stand for here; a name that is not known here is left out, and told."""
    missing: list[Missing] = []

    def replace(value: Any) -> Any:
        if not isinstance(value, Mapping) or MARK not in value:
            # An id of another organization's, written into the file by hand, is nobody's here.
            return None if _id_in(value) is not None else value
        kind = _kinds.get(str(value.get(MARK)))
        name = str(value.get("name", ""))[:200]
        if kind is None:
            return None
        row = kind.rows(organization).filter(**{kind.name: name}).first()
        if row is None:
            missing.append(Missing(kind, name))
            return None
        return str(row.pk)

    return _walk(settings, replace), missing


def _walk(value: Any, replace: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping) and MARK not in value:
        made = {str(key): _walk(inner, replace) for key, inner in value.items()}
        return {key: inner for key, inner in made.items() if inner is not None}
    if isinstance(value, list):
        return [inner for one in value if (inner := _walk(one, replace)) is not None]
    return replace(value)


def _id_in(value: Any) -> uuid.UUID | None:
    """Return the id that a value is, None where it is anything else."""
    return as_uuid(value) if isinstance(value, str) and len(value) == 36 else None


def _connections(organization: Organization) -> QuerySet[Connection]:
    return connections_of(organization, with_disconnected=False)


register_reference(Kind("template", "template", active_templates))
register_reference(Kind("tag", "tag", lambda organization: Tag.objects.filter(organization=organization)))
register_reference(
    Kind("filter", "saved filter", lambda organization: SavedFilter.objects.filter(organization=organization))
)
register_reference(Kind("connection", "connection", _connections))
