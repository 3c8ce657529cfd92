"""When a local time is, in a zone that may skip it or have it twice, as it does when clocks are changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrations.phones import guess_time_zone
from integrations.templatetags.hg_base import zone_of
from messaging.automations.base import Step

CONTACT, ORGANIZATION = "contact", "organization"


@dataclass(frozen=True)
class LocalMoment:
    """A moment in UTC, and what is to be said of it where clocks are changed around it."""

    moment: datetime
    note: str = ""


def zone_for(step: Step, whose: str) -> tzinfo:
    """Return the contact's zone, as it stands there or its number tells, else the organization's."""
    organization = zone_of(step.organization)
    if whose != CONTACT:
        return organization
    phone = step.contact.phone if step.contact is not None else step.run.phone
    own = step.contact.time_zone if step.contact is not None else ""
    try:
        return ZoneInfo(own or guess_time_zone(phone)) if own or phone else organization
    except (ZoneInfoNotFoundError, ValueError):
        return organization


def read_moment(text: str, *, zone: tzinfo, at: time) -> LocalMoment | None:
    """Read a date (then at the given time) or a moment (without a zone it is local); None where it is neither."""
    text = text.strip()
    try:
        if len(text) == 10:
            return localize(datetime.combine(date.fromisoformat(text), at), zone)
        found = datetime.fromisoformat(text.upper().replace("  ", " "))
        return LocalMoment(found.astimezone(UTC)) if found.tzinfo is not None else localize(found, zone)
    except (ValueError, OverflowError):
        return None


def localize(naive: datetime, zone: tzinfo) -> LocalMoment:
    """Return when a local time is: the first of two; where there is none, as much later as clocks are put forward."""
    first, second = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    moment = first.astimezone(UTC)
    shown = moment.astimezone(zone)
    if shown.replace(tzinfo=None, fold=0) != naive:
        return LocalMoment(
            moment, f"Clocks are put forward that day, and {naive:%H:%M} does not exist: {shown:%H:%M} is taken."
        )
    if first.utcoffset() != second.utcoffset():
        return LocalMoment(moment, f"Clocks are put back that day, and {naive:%H:%M} comes twice: the first is taken.")
    return LocalMoment(moment)


def in_words(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as people of a zone read it."""
    return f"{moment.astimezone(zone):%A, %-d %B %Y, %H:%M} ({zone})"
