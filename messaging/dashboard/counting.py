"""Keep the counts of quarters right: follow the events of messages, count anew what they touched.

A change of state leaves an event in the same statement, and events have growing ids. Each run reads those since the run
before the last (one that was written late, in a long transaction, is met by the second look), and marks the quarters
their messages were made in as stale. A stale quarter is counted anew, from the index of the log by day: never added to,
so that a second run, a lost run and two runs at once end in the same figures. A big quarter rests between two counts.
Once a day everything is counted anew, whatever went unnoticed.
"""

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.sending.statuses import ARRIVED, AT_TWILIO, FAILURES, IN_FLIGHT, WAITING, Status

from .models import CountProgress, QuarterCount

SHOWN_DAYS = 14
_KEPT_DAYS = SHOWN_DAYS + 2  # days begin at another hour in each zone
_EVENTS = 50_000  # of one run; what is left waits for the next
_QUARTERS = 400


def _in(states: frozenset[Status]) -> str:
    return "status IN (" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


_QUARTER = "date_bin('15 minutes', m.created_at, timestamptz '2000-01-01 00:00:00+00')"
_MARK = f"""
INSERT INTO messaging_quartercount (organization_id, begins, is_stale)
SELECT DISTINCT m.organization_id, {_QUARTER}, true
FROM messaging_messageevent e JOIN messaging_message m ON m.id = e.message_id
WHERE e.id > %s AND e.id <= %s AND m.direction = 'outbound' AND m.created_at > now() - interval '{_KEPT_DAYS} days'
ORDER BY 1, 2
ON CONFLICT (organization_id, begins) DO UPDATE SET is_stale = true WHERE NOT messaging_quartercount.is_stale
"""  # noqa: S608 - built from our own words
_MARK_ALL = f"""
INSERT INTO messaging_quartercount (organization_id, begins, is_stale)
SELECT DISTINCT m.organization_id, {_QUARTER}, true
FROM messaging_message m
WHERE m.organization_id = %s AND m.created_at > now() - interval '{_KEPT_DAYS} days' AND m.direction = 'outbound'
ORDER BY 1, 2
ON CONFLICT (organization_id, begins) DO UPDATE SET is_stale = true WHERE NOT messaging_quartercount.is_stale
"""  # noqa: S608

# Only the second count looks at rows; all others find what they need in the index. A handed-over message that failed
# or was canceled says so by its time of handing over, the rest by their states.
_COUNT = f"""
WITH due AS (
    SELECT id, organization_id, begins FROM messaging_quartercount
    WHERE is_stale AND (%(all)s OR counted_at IS NULL OR counted_at < clock_timestamp()
        - LEAST(interval '2 minutes', GREATEST(0, delivered + on_way + failed - 5000) * interval '0.2 milliseconds'))
    ORDER BY begins DESC LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE messaging_quartercount q SET
    delivered = c.delivered, on_way = c.on_way, failed = c.failed, handed_over = c.at_twilio + l.left_us,
    is_stale = false, counted_at = clock_timestamp()
FROM due
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE {_in(ARRIVED)}) AS delivered,
        count(*) FILTER (WHERE {_in(WAITING | IN_FLIGHT | AT_TWILIO)}) AS on_way,
        count(*) FILTER (WHERE {_in(FAILURES)}) AS failed,
        count(*) FILTER (WHERE {_in(AT_TWILIO | ARRIVED | {Status.UNDELIVERED})}) AS at_twilio
    FROM messaging_message m
    WHERE m.organization_id = due.organization_id
        AND m.created_at >= due.begins AND m.created_at < due.begins + interval '15 minutes'
) c
CROSS JOIN LATERAL (
    SELECT count(*) AS left_us FROM messaging_message m
    WHERE m.organization_id = due.organization_id
        AND m.created_at >= due.begins AND m.created_at < due.begins + interval '15 minutes'
        AND {_in(frozenset({Status.FAILED, Status.CANCELED}))} AND m.handed_over_at IS NOT NULL
) l
WHERE q.id = due.id
"""  # noqa: S608


def follow_log() -> int:
    """Mark what changed since the last runs as stale and count it anew; return how many quarters were counted."""
    with transaction.atomic():
        if not CountProgress.objects.filter(pk=1).exists():
            _begin()
        progress = CountProgress.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if progress is None:
            return 0  # another worker is at it
        with connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(max(id), 0) FROM messaging_messageevent")
            newest = min(cursor.fetchone()[0], progress.event + _EVENTS)
            cursor.execute(_MARK, [min(progress.before, newest), newest])
        progress.before, progress.event, progress.at = progress.event, newest, timezone.now()
        progress.save(update_fields=["before", "event", "at"])
    return _count(is_all=False)


def _begin() -> None:
    """Begin at the oldest event that is there; an installation does this once, in its migration."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(min(id) - 1, 0) FROM messaging_messageevent")
        first = cursor.fetchone()[0]
    CountProgress.objects.get_or_create(pk=1, defaults={"event": first, "before": first})


def count_anew(organization: Organization) -> int:
    """Count every quarter of the days that are shown, whatever the events say; return how many."""
    begin = timezone.now() - timedelta(days=_KEPT_DAYS)
    QuarterCount.objects.filter(organization=organization, begins__gte=begin, is_stale=False).update(is_stale=True)
    with connection.cursor() as cursor:
        cursor.execute(_MARK_ALL, [organization.pk])
    return _count(is_all=True)


def count_all_anew() -> None:
    """Set right whatever went unnoticed, and forget what no page shows any more."""
    QuarterCount.objects.filter(begins__lt=timezone.now() - timedelta(days=_KEPT_DAYS + 1)).delete()
    for organization in Organization.objects.order_by("pk").iterator():
        count_anew(organization)


def _count(*, is_all: bool) -> int:
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"all": is_all, "limit": _QUARTERS})
            counted = cursor.rowcount
        total += counted
        if counted < _QUARTERS:
            return total
