"""Reads of automations and their runs: pages by key, and counts that stop at ten thousand."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from integrations.identifiers import first_id_of
from integrations.organizations.long_lists import PAGE, Page, page_of
from integrations.organizations.models import Organization, as_uuid

from .models import Automation, Run, RunMessage

COUNTED = 10_000
_MOST_WORDS = 6

# One statement for all automations of a page: each count is read from one index, and stops where nobody reads on.
_COUNTS = """
SELECT a.id, s.status, counted.rows FROM unnest(%(ids)s::uuid[]) AS a(id)
CROSS JOIN unnest(%(statuses)s::text[]) AS s(status)
CROSS JOIN LATERAL (
    SELECT count(*) AS rows FROM (
        SELECT 1 FROM messaging_run r
        WHERE r.automation_id = a.id AND r.status = s.status AND r.id >= %(since)s AND NOT r.is_test
        LIMIT %(most)s
    ) AS first
) AS counted
WHERE counted.rows > 0
"""


def published_with(organization: Organization, words: object) -> list[Automation]:
    """Return the automations, live or paused, whose published steps name something by its id or say these words."""
    used = {Automation.Status.LIVE, Automation.Status.PAUSED}
    rows = Automation.objects.filter(organization=organization, status__in=used).select_related("live")
    said = rows.annotate(words=Cast("live__flow", TextField())).filter(words__contains=str(words))
    return list(said.order_by("name", "pk"))


@dataclass(frozen=True)
class Counts:
    """How many runs of each status, counted up to ten thousand of each."""

    by_status: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def failed(self) -> int:
        return self.by_status.get(Run.Status.FAILED, 0)

    @property
    def under_way(self) -> int:
        return self.by_status.get(Run.Status.WAITING, 0) + self.by_status.get(Run.Status.RUNNING, 0)

    @property
    def is_more(self) -> bool:
        """Tell whether a status has more than was counted."""
        return any(count >= COUNTED for count in self.by_status.values())


def find_automations(organization: Organization, *, query: str = "", status: str = "") -> QuerySet[Automation]:
    """Return the organization's automations whose names fit, newest first; archived ones where they are asked for."""
    rows = Automation.objects.filter(organization=organization).order_by("-id")
    for word in query.replace("\x00", "").split()[:_MOST_WORDS]:
        rows = rows.filter(name__icontains=word)
    if status == "all":
        return rows
    return rows.filter(status=status) if status else rows.exclude(status=Automation.Status.ARCHIVED)


def automation_page(rows: QuerySet[Automation], *, after: object = None, size: int = PAGE) -> Page[Automation]:
    """Return one page: the newest, or those older than the automation `after`."""
    return page_of(rows.select_related("organization", "live"), after=after, size=size)


def find_automation(organization: Organization, automation_id: object) -> Automation | None:
    """Return the organization's automation of that id; None for another one's."""
    key = as_uuid(automation_id)
    if key is None:
        return None
    found = Automation.objects.filter(organization=organization, pk=key)
    return found.select_related("organization", "live").first()


def names_of(organization: Organization) -> list[tuple[uuid.UUID, str]]:
    """Return the organization's automations to choose from, the newest first, at most two hundred."""
    rows = Automation.objects.filter(organization=organization).order_by("-id")
    return list(rows.values_list("pk", "name")[:200])


def counts_of(automation_ids: Iterable[uuid.UUID], *, since: datetime | None = None) -> dict[uuid.UUID, Counts]:
    """Count the runs of each automation by status, without tests; `since` a moment, or all."""
    ids = list(automation_ids)
    found: dict[uuid.UUID, dict[str, int]] = {pk: {} for pk in ids}
    if not ids:
        return {}
    values: dict[str, Any] = {
        "ids": ids,
        "statuses": list(Run.Status.values),
        "since": first_id_of(since) if since else uuid.UUID(int=0),
        "most": COUNTED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, values)
        for pk, status, count in cursor.fetchall():
            found[pk][status] = count
    return {pk: Counts(counts) for pk, counts in found.items()}


def counts_of_all(organization: Organization) -> Counts:
    """Count the runs of all automations of an organization by status."""
    ids = Automation.objects.filter(organization=organization).values_list("pk", flat=True)
    found: dict[str, int] = {}
    for counts in counts_of(ids).values():
        for status, count in counts.by_status.items():
            found[status] = min(COUNTED, found.get(status, 0) + count)
    return Counts(found)


def last_runs_of(automation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Return when each automation was set off last, tests included."""
    ids = list(automation_ids)
    if not ids:
        return {}
    # A range of one, and an order that begins with it: else PostgreSQL might walk through everybody's newest runs in
    # the hope of meeting one of an automation that has none.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, last.created_at FROM unnest(%s::uuid[]) AS a(id) CROSS JOIN LATERAL (SELECT r.created_at"
            " FROM messaging_run r WHERE r.automation_id >= a.id"
            " AND r.automation_id <= a.id ORDER BY r.automation_id, r.id DESC LIMIT 1) AS last",
            [ids],
        )
        return dict(cursor.fetchall())


def waiting_of(automation: Automation) -> int:
    """Count the runs that wait, as archiving would stop them."""
    return Run.objects.filter(automation=automation, status=Run.Status.WAITING).count()


def find_run(organization: Organization, run_id: object) -> Run | None:
    """Return the organization's run of that id with what its page shows; None for another one's."""
    key = as_uuid(run_id)
    if key is None:
        return None
    return (
        Run.objects.filter(organization=organization, pk=key)
        .select_related("organization", "automation__live", "version", "contact")
        .first()
    )


def runs_led_to(run: Run, *, most: int = 20) -> list[Run]:
    """Return the runs of other automations that this one set off, the newest first."""
    rows = Run.objects.filter(organization=run.organization_id, cause=run.pk)
    return list(rows.select_related("automation").order_by("-id")[:most])


def run_that_caused(run: Run) -> Run | None:
    """Return the run whose doing this one is; None where there is none, or it was deleted by now."""
    if run.cause is None:
        return None
    rows = Run.objects.filter(organization=run.organization_id, pk=run.cause)
    return rows.select_related("automation").first()


def messages_page(run: Run, *, after: int = 0, size: int = PAGE) -> Page[RunMessage]:
    """Return one page of what a run sent and did not send, in that order."""
    rows = RunMessage.objects.filter(run=run).select_related("message__contact", "step")
    return page_of(rows, after=after, size=size, is_oldest_first=True)


def lately(hours: int = 24) -> datetime:
    """Return the moment so many hours ago."""
    return timezone.now() - timedelta(hours=hours)
