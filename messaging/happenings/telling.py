"""Tell whoever listens that something happened. Call it in the transaction of the thing itself.

Where nobody listens it costs one look into a small index and stores nothing. A room that changes many rows by a
statement of its own writes happenings by the same rule: `INSERT … SELECT … JOIN messaging_listener`.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from .models import Listener
from .wake import wake

# The run of an automation that works at this moment: what happens meanwhile happens because of it.
_cause: ContextVar[uuid.UUID | None] = ContextVar("cause", default=None)

_TELL = """
WITH told AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS t(contact_id uuid, phone text, data jsonb)
)
INSERT INTO messaging_happening (organization_id, kind, contact_id, phone, data, cause)
SELECT %s, %s, told.contact_id, told.phone, told.data, %s FROM told
WHERE EXISTS (SELECT 1 FROM messaging_listener l WHERE l.organization_id = %s AND l.kind = %s)
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing that happened: to which contact or number, and the fields that listeners may use."""

    contact_id: uuid.UUID | None = None
    phone: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def tell(
    organization_id: uuid.UUID,
    kind: str,
    *,
    contact_id: uuid.UUID | None = None,
    phone: str = "",
    data: Mapping[str, Any] | None = None,
) -> bool:
    """Write down that something happened, if anybody listens; return whether."""
    return bool(tell_many(organization_id, kind, [Told(contact_id=contact_id, phone=phone, data=data or {})]))


def tell_many(organization_id: uuid.UUID, kind: str, told: Iterable[Told]) -> int:
    """Write down the same kind of thing for many; return how many were kept, 0 where nobody listens."""
    rows = [vars(one) for one in told]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _TELL, [json.dumps(rows, cls=DjangoJSONEncoder), organization_id, kind, _cause.get(), organization_id, kind]
        )
        kept = cursor.rowcount
    if kept:
        transaction.on_commit(wake)
    return kept


def heard_kinds(organization_id: uuid.UUID, kinds: Iterable[str]) -> set[str]:
    """Return those of the kinds that somebody listens to: for a room that would have to look things up to tell them."""
    listened = Listener.objects.filter(organization=organization_id, kind__in=list(kinds))
    return set(listened.values_list("kind", flat=True))


def cause() -> uuid.UUID | None:
    """Return the run whose doing it is what happens at this moment; for rooms that tell by a statement of their own."""
    return _cause.get()


@contextmanager
def caused_by(run_id: uuid.UUID) -> Iterator[None]:
    """Say whose doing it is what happens within."""
    token = _cause.set(run_id)
    try:
        yield
    finally:
        _cause.reset(token)
