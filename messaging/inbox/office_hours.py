"""When somebody is there: weekly hours and holidays in the organization's time zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from integrations.organizations.models import Organization
from integrations.templatetags.hg_base import zone_of

from .models import InboxPolicy

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FURTHEST_DAYS = 400
USUAL: list[list[object]] = [[day, "09:00", "17:00"] for day in range(5)]


def policy_of(organization: Organization) -> InboxPolicy:
    """Return the organization's policy; one that is off, not stored yet, where it has none."""
    return InboxPolicy.objects.filter(organization=organization).first() or InboxPolicy(
        organization=organization, hours=list(USUAL)
    )


def is_staffed(policy: InboxPolicy, organization: Organization, *, at: datetime) -> bool:
    """Tell whether the moment lies in office hours; the minute at which they end does not."""
    local = at.astimezone(zone_of(organization))
    if local.date().isoformat() in policy.holidays:
        return False
    return any(
        day == local.weekday() and _time(begin) <= local.time() < _time(end) for day, begin, end in _rows(policy.hours)
    )


def next_staffed(policy: InboxPolicy, organization: Organization, *, at: datetime) -> datetime | None:
    """Return the moment itself where somebody is there, else when hours begin next; None where they never do."""
    if is_staffed(policy, organization, at=at):
        return at
    zone = zone_of(organization)
    today = at.astimezone(zone).date()
    for days in range(_FURTHEST_DAYS):
        day = today + timedelta(days=days)
        if day.isoformat() in policy.holidays:
            continue
        for weekday, begin, end in sorted(_rows(policy.hours)):
            # A beginning that is skipped when clocks are put forward comes as much later.
            moment = datetime.combine(day, _time(begin), zone).astimezone(UTC)
            if weekday == day.weekday() and _time(begin) < _time(end) and moment > at:
                return moment
    return None


def _rows(hours: Sequence[Sequence[object]]) -> list[tuple[int, str, str]]:
    return [(int(str(day)), str(begin), str(end)) for day, begin, end in hours]


def _time(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)
