"""What is wrong with automations as such: one that fails again and again, and runs that nobody carries on.

Both are one cheap statement over the whole installation: by the index of runs that failed lately, and by a loose scan
of what waits.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from integrations.masking import mask_numbers_in
from integrations.organizations.models import Organization

from .models import Automation, Run

FAILED_AT_LEAST = 5
FAILED_WITHIN = timedelta(hours=1)
LATE_AFTER = timedelta(minutes=10)

_FAILING = """
SELECT DISTINCT ON (automation_id) automation_id, reason, position, rows, latest FROM (
    SELECT automation_id, reason, position, count(*) AS rows, (array_agg(id ORDER BY ended_at DESC))[1] AS latest
    FROM messaging_run WHERE status = 'failed' AND ended_at > now() - make_interval(secs => %s) AND NOT is_test
    GROUP BY automation_id, reason, position
) AS causes
ORDER BY automation_id, rows DESC
"""
_LATE = """
WITH RECURSIVE owners AS (
    (SELECT lane, organization_id FROM messaging_run WHERE status = 'waiting' AND lane IN (0, 1)
        ORDER BY lane, organization_id LIMIT 1)
    UNION ALL
    SELECT after.lane, after.organization_id FROM owners CROSS JOIN LATERAL (
        SELECT r.lane, r.organization_id FROM messaging_run r WHERE r.status = 'waiting' AND r.lane IN (0, 1)
            AND (r.lane, r.organization_id) > (owners.lane, owners.organization_id)
        ORDER BY r.lane, r.organization_id LIMIT 1
    ) AS after
)
SELECT DISTINCT o.organization_id FROM owners o
CROSS JOIN LATERAL (
    SELECT r.due_at FROM messaging_run r
    WHERE r.status = 'waiting' AND r.lane = o.lane AND r.organization_id = o.organization_id
    ORDER BY r.due_at LIMIT 1
) AS oldest
WHERE oldest.due_at < now() - make_interval(secs => %s)
"""


@dataclass(frozen=True)
class Failing:
    """An automation of which runs fail for one cause; `is_new` false: it fails, but not often enough to speak of it."""

    automation: Automation
    count: int
    text: str
    is_new: bool


def failing_automations() -> Iterator[Failing]:
    """Find automations that failed within the last hour, each with its most frequent cause."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILING, [FAILED_WITHIN.total_seconds()])
        causes = {row[0]: row[1:] for row in cursor.fetchall()}
    if not causes:
        return
    details: dict[uuid.UUID, str] = dict(
        Run.objects.filter(pk__in=[cause[3] for cause in causes.values()]).values_list("pk", "detail")
    )
    active = Automation.objects.filter(pk__in=causes, organization__status=Organization.Status.ACTIVE)
    for automation in active.exclude(status=Automation.Status.ARCHIVED).select_related("organization"):
        _, _, count, latest = causes[automation.pk]
        yield Failing(automation, count, mask_numbers_in(details.get(latest, "")), count >= FAILED_AT_LEAST)


def late_organizations() -> list[Organization]:
    """Find organizations with a run that was due ten minutes ago and that nobody carried on."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [LATE_AFTER.total_seconds()])
        ids = [row[0] for row in cursor.fetchall()]
    active = Organization.objects.filter(pk__in=ids, status=Organization.Status.ACTIVE) if ids else ()
    return list(active)
