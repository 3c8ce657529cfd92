"""Messages that wait until somebody lets them go, as a paused broadcast's do: queued, but due at no time.

A far moment, not PostgreSQL's `infinity`, which Python has no date for.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

HELD_UNTIL = datetime(9999, 1, 1, tzinfo=UTC)
_BATCH = 1000

# What comes back to the queue of a broadcast that is paused or canceled is not due, so that no claim can be faster than
# the sweep that holds or cancels it. An SQL condition on a message `m`.
IS_STOPPED = """(m.broadcast_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM messaging_broadcast b WHERE b.id = m.broadcast_id AND b.status IN ('paused', 'canceled')
))"""
HELD_UNTIL_SQL = f"timestamptz '{HELD_UNTIL:%Y-%m-%d %H:%M+00}'"

# Whoever is being claimed or moved at this moment is passed over, so that nobody waits for anybody; the caller comes
# again until nothing is left.
_HOLD = """
UPDATE messaging_message SET due_at = %(held)s, valid_until = %(held)s, updated_at = now() WHERE id IN (
    SELECT id FROM messaging_message WHERE broadcast_id = %(broadcast)s AND status = 'queued' AND due_at < %(held)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""
_RELEASE = """
UPDATE messaging_message SET
    due_at = now(), valid_until = now() + %(validity)s * interval '1 second', updated_at = now()
WHERE id IN (
    SELECT id FROM messaging_message WHERE broadcast_id = %(broadcast)s AND status = 'queued' AND due_at = %(held)s
    ORDER BY broadcast_row LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


def hold(broadcast_id: uuid.UUID) -> int:
    """Hold what waits of a broadcast, and its age with it; return how many messages."""
    return _repeat(_HOLD, broadcast=broadcast_id)


def release(broadcast_id: uuid.UUID, *, validity: timedelta) -> int:
    """Make what was held of a broadcast due now, valid for as long as given; return how many messages."""
    return _repeat(_RELEASE, broadcast=broadcast_id, validity=validity.total_seconds())


def _repeat(statement: str, **values: Any) -> int:
    changed = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, {**values, "held": HELD_UNTIL, "limit": _BATCH})
            changed += cursor.rowcount
            if cursor.rowcount < _BATCH:
                return changed
