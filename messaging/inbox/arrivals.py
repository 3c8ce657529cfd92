"""An incoming message finds its conversation, in the transaction that stores it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from integrations.identifiers import new_id
from messaging.sending.models import Message

from .display import snippet

# One statement: of many messages at once each counts, and a flood costs one row lock each and no second look.
_ARRIVE = """
INSERT INTO messaging_conversation AS c (
    id, organization_id, channel, phone, contact_id, connection_id, sender, state, unread, last_text, last_is_inbound,
    last_at, last_inbound_at, created_at, minute_began_at, minute_count)
VALUES (%(id)s, %(organization)s, %(channel)s, %(phone)s, %(contact)s, %(connection)s, %(sender)s, %(state)s,
    %(unread)s, %(text)s, true, %(at)s, %(at)s, %(at)s, %(at)s, 1)
ON CONFLICT (organization_id, channel, phone) DO UPDATE SET
    contact_id = COALESCE(EXCLUDED.contact_id, c.contact_id),
    connection_id = EXCLUDED.connection_id,
    sender = EXCLUDED.sender,
    state = CASE WHEN %(unread)s > 0 AND c.muted_at IS NULL THEN 'open' ELSE c.state END,
    unread = CASE WHEN c.muted_at IS NULL THEN c.unread + %(unread)s ELSE c.unread END,
    last_text = EXCLUDED.last_text,
    last_is_inbound = true,
    last_at = GREATEST(c.last_at, EXCLUDED.last_at),
    last_inbound_at = GREATEST(c.last_inbound_at, EXCLUDED.last_inbound_at),
    minute_began_at = CASE WHEN c.minute_began_at > EXCLUDED.last_at - interval '1 minute' THEN c.minute_began_at
        ELSE EXCLUDED.last_at END,
    minute_count = CASE WHEN c.minute_began_at > EXCLUDED.last_at - interval '1 minute' THEN c.minute_count + 1
        ELSE 1 END
RETURNING c.id, c.minute_count, c.muted_at
"""


@dataclass(frozen=True)
class Arrival:
    """The conversation that a message came into; `in_this_minute` counts what came of that number lately."""

    conversation_id: UUID
    in_this_minute: int
    muted_at: datetime | None


def note_arrival(message: Message, *, is_handled: bool = False) -> Arrival:
    """Open or reopen the writer's conversation with one more unread message, and return what is known of it.

    `is_handled`: STOP, START and HELP are answered by themselves; they stand in the conversation, but ask nobody for
    attention. A muted conversation keeps its state, too.
    """
    values: dict[str, Any] = {
        "id": new_id(),
        "organization": message.organization_id,
        "channel": message.channel,
        "phone": message.phone,
        "contact": message.contact_id,
        "connection": message.connection_id,
        "sender": message.sender,
        "state": "closed" if is_handled else "open",
        "unread": 0 if is_handled else 1,
        "text": snippet(message.body),
        "at": message.created_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVE, values)
        conversation_id, in_this_minute, muted_at = cursor.fetchone()
    return Arrival(conversation_id, in_this_minute, muted_at)
