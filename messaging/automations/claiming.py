"""Which runs are due, and whose turn it is: a claim is a lease and a token, taken by one short statement."""

import random
import uuid
from datetime import timedelta
from typing import Any

from django.db import connection

LEASE = timedelta(seconds=60)

# A loose scan of the partial index: one step per organization, however many runs are due.
_OWNERS = """
WITH RECURSIVE owners AS (
    (SELECT organization_id FROM messaging_run WHERE status = 'waiting' AND lane = %(lane)s
        ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.organization_id FROM messaging_run r WHERE r.status = 'waiting' AND r.lane = %(lane)s
        AND r.organization_id > owners.organization_id ORDER BY r.organization_id LIMIT 1)
    FROM owners WHERE owners.organization_id IS NOT NULL
)
SELECT o.id FROM owners JOIN integrations_organization o ON o.id = owners.organization_id AND o.status = 'active'
WHERE EXISTS (SELECT 1 FROM messaging_run r WHERE r.status = 'waiting' AND r.lane = %(lane)s
    AND r.organization_id = o.id AND r.due_at <= statement_timestamp())
"""
# MATERIALIZED, because within IN (…) PostgreSQL may ask the question again for each row and claim more than the limit.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM messaging_run WHERE status = 'waiting' AND lane = %(lane)s AND organization_id = %(owner)s
        AND due_at <= statement_timestamp()
    ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE messaging_run r
SET status = 'running', claim_token = %(token)s, lease_until = statement_timestamp() + %(lease)s
FROM due WHERE r.id = due.id
RETURNING r.id
"""


def owners_with_due(lane: int) -> list[uuid.UUID]:
    """Return the organizations that have runs to carry on."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, {"lane": lane})
        return [row[0] for row in cursor.fetchall()]


def claim(lane: int, *, most: int) -> tuple[uuid.UUID, list[uuid.UUID]]:
    """Claim due runs, organizations in turn; return the claim's token and the ids."""
    token, claimed = uuid.uuid4(), list[uuid.UUID]()
    with connection.cursor() as cursor:
        owners = owners_with_due(lane)
        random.shuffle(owners)
        for index, owner in enumerate(owners):
            share = max(1, (most - len(claimed)) // (len(owners) - index))
            values: dict[str, Any] = {"token": token, "lease": LEASE, "lane": lane, "owner": owner, "most": share}
            cursor.execute(_CLAIM, values)
            claimed += [row[0] for row in cursor.fetchall()]
            if len(claimed) >= most:
                break
    return token, claimed
