"""Lanes: the messages of one sender of one connection, transactional or bulk. Each is worked on by itself.

A sender that must go slowly, or whose queue at Twilio is full, so never holds up the others of its connection.
"""

import uuid
from typing import Any, NamedTuple

from django.db import connection


class Lane(NamedTuple):
    """One queue within the outbox; `lane` is Message.Lane."""

    connection_id: uuid.UUID
    sender: str
    lane: int


# A loose scan: from each lane one step to the next in the partial index of queued rows. However many rows are queued,
# as many are read as there are lanes; DISTINCT or GROUP BY would read them all.
_WITH_WORK = """
WITH RECURSIVE lanes AS (
    (
        SELECT connection_id, sender, lane FROM messaging_message
        WHERE status = 'queued' AND connection_id IS NOT NULL {within}
        ORDER BY connection_id, sender, lane LIMIT 1
    )
    UNION ALL
    SELECT after.connection_id, after.sender, after.lane FROM lanes CROSS JOIN LATERAL (
        SELECT m.connection_id, m.sender, m.lane FROM messaging_message m
        WHERE m.status = 'queued' AND m.connection_id IS NOT NULL {within}
            AND (m.connection_id, m.sender, m.lane) > (lanes.connection_id, lanes.sender, lanes.lane)
        ORDER BY m.connection_id, m.sender, m.lane LIMIT 1
    ) AS after
)
SELECT l.connection_id, l.sender, l.lane FROM lanes l
JOIN integrations_connection c ON c.id = l.connection_id AND c.status = 'active'
JOIN integrations_organization o ON o.id = c.organization_id AND o.status = 'active'
CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m
    WHERE m.connection_id = l.connection_id AND m.sender = l.sender AND m.lane = l.lane AND m.status = 'queued'
        AND m.due_at <= now()
    ORDER BY m.due_at LIMIT 1
) AS due
ORDER BY l.lane
"""
_OF_ALL = _WITH_WORK.format(within="")
_OF_CONNECTION = _WITH_WORK.format(within="AND connection_id = %(connection)s")


def lanes_with_work() -> list[Lane]:
    """Return every lane that has due messages and a connection that can send them, transactional ones first."""
    return _ask(_OF_ALL, {})


def lanes_of(connection_id: uuid.UUID, *, lane: int) -> list[Lane]:
    """Return the connection's lanes of this urgency that have due messages, one for each sender."""
    return [found for found in _ask(_OF_CONNECTION, {"connection": connection_id}) if found.lane == lane]


def _ask(statement: str, values: dict[str, Any]) -> list[Lane]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Lane(*row) for row in cursor.fetchall()]
