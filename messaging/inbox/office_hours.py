"""When somebody is there: weekly hours and holidays in the organization's time zone."""

from collections.abc import Sequence
from datetime import datetime, time

from integrations.organizations.models import Organization
from integrations.templatetags.hg_base import zone_of

from .models import InboxPolicy

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
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


def _rows(hours: Sequence[Sequence[object]]) -> list[tuple[int, str, str]]:
    return [(int(str(day)), str(begin), str(end)) for day, begin, end in hours]


def _time(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)
