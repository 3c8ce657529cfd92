"""Which causes of failure are rising: counted by the minute, so that nobody counts a log of millions.

A cause is rising when in the last quarter of an hour

* it made at least LEAST messages fail,
* at least TIMES as many as in an average quarter of the three hours before, and
* at least one in SHARE of the messages made in that quarter: a broadcast brings more of everything, and a few wrong
  numbers among thousands are no news.

It is over when fewer than OVER_BELOW failed in the last quarter. In between nothing changes.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from .models import FailureCount

LEAST = 10
OVER_BELOW = 5
TIMES = 3
SHARE = 20
KEPT_FOR = timedelta(hours=4)

# The last minutes are counted anew each time: a failure is seen some moments after the time it bears. After a pause of
# the watch it goes back as far as matters. Only failures stand in the index, so without any nothing is read.
_COUNT = """
INSERT INTO messaging_failurecount (organization_id, cause, minute, failed, undelivered)
SELECT organization_id, COALESCE(error_code::text, error_reason), date_trunc('minute', finished_at), count(*),
    count(*) FILTER (WHERE status = 'undelivered')
FROM messaging_message
WHERE status IN ('failed', 'undelivered') AND finished_at >= (
    SELECT date_trunc('minute', GREATEST(now() - interval '20 minutes', max(minute) - interval '3 minutes'))
    FROM messaging_failurecount
)
GROUP BY 1, 2, 3
ON CONFLICT (minute, organization_id, cause) DO UPDATE SET failed = EXCLUDED.failed, undelivered = EXCLUDED.undelivered
WHERE messaging_failurecount.failed <> EXCLUDED.failed
"""
_QUARTERS = """
SELECT organization_id, cause,
    sum(failed) FILTER (WHERE minute > now() - interval '15 minutes') AS lately,
    COALESCE(sum(failed) FILTER (WHERE minute <= now() - interval '15 minutes'), 0) / 12.0 AS before,
    CASE WHEN sum(undelivered) * 2 > sum(failed) THEN 'undelivered' ELSE 'failed' END AS status
FROM messaging_failurecount
WHERE minute > now() - interval '195 minutes' AND cause <> ''
GROUP BY organization_id, cause
HAVING sum(failed) FILTER (WHERE minute > now() - interval '15 minutes') >= %s
"""
# No more rows than decide the question.
_MADE = """
SELECT count(*) FROM (
    SELECT 1 FROM messaging_message
    WHERE organization_id = %s AND direction = 'outbound' AND created_at > now() - interval '15 minutes' LIMIT %s
) AS made
"""


@dataclass(frozen=True)
class Trend:
    """A cause that made messages fail in the last quarter of an hour."""

    organization_id: uuid.UUID
    cause: str
    lately: int
    is_rising: bool
    status: str


def count_failures() -> None:
    """Bring the counts up to now, and forget the old ones."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
    FailureCount.objects.filter(minute__lt=timezone.now() - KEPT_FOR).delete()


def trends() -> list[Trend]:
    """Return the causes that are worth a thought: those rising, and those not over yet."""
    with connection.cursor() as cursor:
        cursor.execute(_QUARTERS, [OVER_BELOW])
        rows = cursor.fetchall()
    return [
        Trend(
            organization_id=organization_id,
            cause=cause,
            lately=int(lately),
            is_rising=lately >= LEAST
            and lately >= TIMES * before
            and _is_a_good_part(organization_id, failed=int(lately)),
            status=status,
        )
        for organization_id, cause, lately, before, status in rows
    ]


def _is_a_good_part(organization_id: uuid.UUID, *, failed: int) -> bool:
    most = failed * SHARE
    with connection.cursor() as cursor:
        cursor.execute(_MADE, [organization_id, most + 1])
        return cursor.fetchone()[0] <= most
