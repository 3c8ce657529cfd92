"""Reads of the dashboard: how messages fared by day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from integrations.organizations.models import Organization

from .counting import SHOWN_DAYS
from .models import QuarterCount


@dataclass(frozen=True)
class Day:
    """The messages of one day, by how they fared."""

    day: date
    delivered: int
    on_way: int
    failed: int
    handed_over: int = 0

    @property
    def total(self) -> int:
        return self.delivered + self.on_way + self.failed

    def share(self, count: int, *, of: int) -> int:
        """Return what part of the highest day a count is, in whole per cent; never nothing where there is something."""
        return max(1, round(100 * count / of)) if count and of else 0


def last_days(organization: Organization, *, days: int = SHOWN_DAYS) -> list[Day]:
    """Return outbound messages by day of the organization's zone, oldest first, days without any included."""
    zone = ZoneInfo(organization.time_zone)
    today = timezone.now().astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    counted = (
        QuarterCount.objects.filter(organization=organization, begins__gte=datetime.combine(first, time.min, zone))
        .annotate(day=TruncDate("begins", tzinfo=zone))
        .values("day")
        .annotate(
            all_delivered=Sum("delivered"),
            all_failed=Sum("failed"),
            all_on_way=Sum("on_way"),
            all_handed_over=Sum("handed_over"),
        )
    )
    by_day = {row["day"]: row for row in counted}
    return [
        Day(
            day=day,
            delivered=row["all_delivered"],
            on_way=row["all_on_way"],
            failed=row["all_failed"],
            handed_over=row["all_handed_over"],
        )
        if (row := by_day.get(day))
        else Day(day=day, delivered=0, on_way=0, failed=0)
        for day in (first + timedelta(days=offset) for offset in range(days))
    ]
