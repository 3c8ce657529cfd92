"""Take queued messages for sending: one short statement, many workers at once, nobody waits for anybody."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection

from messaging.consent.blocking import block_sql

# Opt-out and consent are looked at here, in the statement that lets a message go, and not only when it was queued: a
# STOP that arrived in between still counts. So does the end of the message's validity.
_CLAIM = f"""
WITH due AS (
    SELECT m.id,
        m.valid_until <= now() AS is_late,
        {block_sql()} AS block
    FROM messaging_message m
    WHERE m.connection_id = %(connection)s AND m.lane = %(lane)s AND m.status = 'queued' AND m.due_at <= now()
    ORDER BY m.due_at, m.id
    LIMIT %(limit)s
    FOR UPDATE OF m SKIP LOCKED
), moved AS (
    UPDATE messaging_message m SET
        status = CASE WHEN due.block IS NOT NULL THEN 'blocked' WHEN due.is_late THEN 'failed' ELSE 'sending' END,
        error_reason = COALESCE(due.block, CASE WHEN due.is_late THEN 'expired' ELSE m.error_reason END),
        finished_at = CASE WHEN due.block IS NOT NULL OR due.is_late THEN now() END,
        claim_token = CASE WHEN due.block IS NOT NULL OR due.is_late THEN NULL ELSE %(token)s::uuid END,
        lease_until =
            CASE WHEN due.block IS NOT NULL OR due.is_late THEN NULL ELSE now() + %(lease)s * interval '1 second' END,
        posted_at = CASE WHEN due.block IS NOT NULL OR due.is_late THEN m.posted_at ELSE now() END,
        attempts = m.attempts + CASE WHEN due.block IS NOT NULL OR due.is_late THEN 0 ELSE 1 END,
        updated_at = now()
    FROM due WHERE m.id = due.id
    RETURNING m.id, m.status, m.phone, m.sender, m.body, m.attempts, m.valid_until, m.error_reason
), logged AS (
    INSERT INTO messaging_messageevent (message_id, status, source, note, at)
    SELECT id, status, 'engine', CASE WHEN status = 'sending' THEN '' ELSE error_reason END, now() FROM moved
)
SELECT id, phone, sender, body, attempts, valid_until, status FROM moved
"""  # noqa: S608 - the rule is an expression of ours


@dataclass(frozen=True)
class Claimed:
    """A message that this process alone may now post, until the lease runs out."""

    id: uuid.UUID
    token: uuid.UUID
    phone: str
    sender: str
    body: str
    attempts: int
    valid_until: datetime


@dataclass(frozen=True)
class Claim:
    """What one claim took: the messages to post, and how many rows it looked at (blocked and expired ones too)."""

    messages: list[Claimed]
    taken: int


def claim_batch(connection_id: uuid.UUID, *, lane: int, limit: int) -> Claim:
    """Claim up to `limit` due messages of a connection and lane, oldest first; blocked and expired ones end here."""
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "connection": connection_id,
                "lane": lane,
                "limit": limit,
                "token": token,
                "lease": settings.CLAIM_LEASE,
            },
        )
        rows = cursor.fetchall()
    messages = [Claimed(row[0], token, *row[1:6]) for row in rows if row[6] == "sending"]
    return Claim(messages=messages, taken=len(rows))
