"""The most messages that an organization hands over on one of its days: counted where they are claimed.

The day's row is locked from before the claim until its commit, so that several workers together never pass the cap.
Organizations without a cap have no such row and wait for nobody.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection

from integrations.organizations.models import Organization

from .limit_models import SendingPolicy

if TYPE_CHECKING:
    from .limits import Limits

WARN_FROM = 80  # per cent

_TODAY = """
SELECT d.id, d.used, (d.day + 1)::timestamp AT TIME ZONE %(zone)s FROM messaging_dailyuse d
WHERE d.organization_id = %(organization)s AND d.day = (now() AT TIME ZONE %(zone)s)::date
"""
_BEGIN_DAY = """
INSERT INTO messaging_dailyuse (organization_id, day, used)
VALUES (%(organization)s, (now() AT TIME ZONE %(zone)s)::date, 0)
ON CONFLICT (organization_id, day) DO NOTHING
"""
# The cap was set in the course of the day: what was handed over before counts. Messages scheduled more than a day
# ahead escape this one look back; every later hand-over is counted exactly.
_COUNT_BACK = """
INSERT INTO messaging_dailyuse (organization_id, day, used)
SELECT %(organization)s, today.day, (
    SELECT count(*) FROM messaging_message m
    WHERE m.organization_id = %(organization)s AND m.direction = 'outbound' AND m.attempts > 0
        AND m.created_at >= today.begin - interval '1 day' AND m.posted_at >= today.begin
)
FROM (
    SELECT (now() AT TIME ZONE %(zone)s)::date AS day,
        (now() AT TIME ZONE %(zone)s)::date::timestamp AT TIME ZONE %(zone)s AS begin
) AS today
ON CONFLICT (organization_id, day) DO UPDATE SET used = EXCLUDED.used
"""


@dataclass(frozen=True)
class CapUse:
    """What an organization used of today's cap; `cap` is None where it has none."""

    used: int
    cap: int | None
    ends_at: datetime | None = None

    @property
    def percent(self) -> int:
        """What part of the cap is used, in whole per cent; 0 without a cap."""
        return min(100, self.used * 100 // self.cap) if self.cap else 100 if self.cap == 0 else 0

    @property
    def is_near(self) -> bool:
        """Tell whether the admins should be warned: four fifths of the day's messages are gone."""
        return self.cap is not None and self.percent >= WARN_FROM

    @property
    def is_reached(self) -> bool:
        return self.cap is not None and self.used >= self.cap


@dataclass(frozen=True)
class Day:
    """An organization's day, held by this transaction; `left` is None where there is no cap."""

    row: int | None
    left: int | None
    ends_at: datetime | None

    def count(self, messages: int) -> None:
        """Add what was handed over now."""
        if self.row is None or not messages:
            return
        with connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_dailyuse SET used = used + %s WHERE id = %s", [messages, self.row])


UNCAPPED = Day(row=None, left=None, ends_at=None)


def hold(limits: "Limits") -> Day:
    """Lock the organization's day until the transaction ends; its first claim makes it."""
    values = {"organization": limits.organization_id, "zone": limits.zone}
    with connection.cursor() as cursor:
        cursor.execute(_TODAY + "FOR UPDATE", values)
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN_DAY, values)
            cursor.execute(_TODAY + "FOR UPDATE", values)
            found = cursor.fetchone()
    row, used, ends_at = found
    return Day(row=row, left=max(0, (limits.daily_cap or 0) - used), ends_at=ends_at)


def count_back(organization_id: uuid.UUID, *, zone: str) -> None:
    """Begin counting in the middle of a day, with what was handed over before."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BACK, {"organization": organization_id, "zone": zone})


def cap_use(organization: Organization) -> CapUse:
    """Return how much of today's cap the organization has used."""
    cap = SendingPolicy.objects.filter(organization=organization).values_list("daily_cap", flat=True).first()
    if cap is None:
        return CapUse(used=0, cap=None)
    with connection.cursor() as cursor:
        cursor.execute(_TODAY, {"organization": organization.pk, "zone": organization.time_zone})
        found = cursor.fetchone()
    return CapUse(used=found[1], cap=cap, ends_at=found[2]) if found else CapUse(used=0, cap=cap)
