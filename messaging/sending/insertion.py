"""Insert a message with its first event: one statement, so that neither is ever there without the other."""

from enum import Enum
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Field

from integrations.quick_rows import assemble, prepared_cursor

from .models import Message, MessageEvent


def insert_message(message: Message, *, note: str = "") -> MessageEvent:
    """Store a new message and the event of its arrival, in the caller's transaction or by itself; return the event."""
    kept = message.__dict__
    values: list[Any] = [_plain(kept[field.attname]) for field in _fields()]
    with prepared_cursor() as cursor:
        cursor.execute(_statement(), [*values, MessageEvent.Source.INTAKE, note])
        (event_id,) = cursor.fetchone()
    message._state.adding, message._state.db = False, connection.alias
    return assemble(
        MessageEvent,
        related={"message": message},
        id=event_id,
        status=message.status,
        source=MessageEvent.Source.INTAKE,
        note=note,
        at=message.created_at,
    )


def _plain(value: object) -> object:
    """Return what the driver takes as it is: texts, numbers, times and ids; members of enumerations as their value."""
    return value.value if isinstance(value, Enum) else value


@cache
def _fields() -> "list[Field[object, object]]":
    return [field for field in Message._meta.concrete_fields if not field.generated]


@cache
def _statement() -> str:
    columns = ", ".join(f'"{field.column}"' for field in _fields())
    places = ", ".join(["%s"] * len(_fields()))
    return f"""
WITH made AS (
    INSERT INTO messaging_message ({columns}) VALUES ({places}) RETURNING id, status, created_at
)
INSERT INTO messaging_messageevent (message_id, status, source, error_code, note, at)
SELECT id, status, %s, NULL, %s, created_at FROM made RETURNING id
"""  # noqa: S608 - our own columns
