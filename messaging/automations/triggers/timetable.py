"""Schedules in plain language, and in the five words of cron for who knows them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from messaging.automations.base import Settings

SHORTEST = timedelta(minutes=5)
DAYS = {
    "1": "Monday", "2": "Tuesday", "3": "Wednesday", "4": "Thursday", "5": "Friday", "6": "Saturday", "0": "Sunday",
}  # fmt: skip
MINUTES = (5, 10, 15, 20, 30)
HOURS = (1, 2, 3, 4, 6, 8, 12)


class TimetableProblem(Exception):
    """A schedule that cannot be kept; the text is for the person who builds it."""


def cron_of(settings: Settings) -> str:
    """Return a schedule as words of cron."""
    hour, minute = str(settings.get("at") or "09:00").split(":")[:2]
    at = f"{int(minute)} {int(hour)}"
    match settings.get("every"):
        case "minutes":
            return f"*/{int(settings.get('minutes') or 15)} * * * *"
        case "hours":
            step = int(settings.get("hours") or 1)
            return f"{int(minute) if settings.get('at') else 0} {'*' if step == 1 else f'*/{step}'} * * *"
        case "weekdays":
            return f"{at} * * 1-5"
        case "week":
            return f"{at} * * {','.join(settings.get('days') or ['1'])}"
        case "month":
            return f"{at} {int(settings.get('day') or 1)} * *"
        case "last_day":
            return f"{at} L * *"
        case "cron":
            return " ".join(str(settings.get("cron") or "").split())
    return f"{at} * * *"


def words_of(settings: Settings) -> str:
    """Return a schedule as people say it."""
    at = settings.get("at") or "09:00"
    match settings.get("every"):
        case "minutes":
            return f"Every {settings.get('minutes') or 15} minutes"
        case "hours":
            step = int(settings.get("hours") or 1)
            return "Every hour" if step == 1 else f"Every {step} hours"
        case "weekdays":
            return f"Monday to Friday at {at}"
        case "week":
            return f"Every {_and([DAYS[day] for day in DAYS if day in (settings.get('days') or ['1'])])} at {at}"
        case "month":
            return f"On day {settings.get('day') or 1} of each month at {at}"
        case "last_day":
            return f"On the last day of each month at {at}"
        case "cron":
            return _explained(cron_of(settings))
    return f"Every day at {at}"


def times(settings: Settings, *, zone: str, after: datetime) -> Iterator[datetime]:
    """Yield the moments after one, without an end, or without any where it never happens; raise TimetableProblem.

    A time that happens twice, where clocks are set back, counts once, the first time; one that never happens counts at
    the next minute that does. What happens each hour goes on in both.
    """
    try:
        yield from CronSim(cron_of(settings), after.astimezone(ZoneInfo(zone)))
    except CronSimError as error:
        raise TimetableProblem(_in_words(str(error), settings)) from error


def check(settings: Settings, *, zone: str, now: datetime) -> None:
    """Raise TimetableProblem for a schedule that cannot be read, never happens, or happens too often."""
    if len(cron_of(settings).split()) != 5:
        raise TimetableProblem("Write five words: minute, hour, day of the month, month, day of the week.")
    following = times(settings, zone=zone, after=now)
    earlier = next(following, None)
    if earlier is None:
        raise TimetableProblem("This never happens: there is no such day. Change the day or the month.")
    for _ in range(300):
        later = next(following, None)
        if later is None:
            return
        if later - earlier < SHORTEST:
            raise TimetableProblem("This happens too often: leave at least 5 minutes between two times.")
        if later - now > timedelta(days=400):
            return
        earlier = later


def _and(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _explained(cron: str) -> str:
    try:
        return CronSim(cron, datetime(2026, 1, 1)).explain()  # noqa: DTZ001 - only read, never compared
    except CronSimError:
        return f"Cron {cron}"


def _in_words(error: str, settings: Settings) -> str:
    if error == "Bad day-of-month" and len(cron_of(settings).split()) == 5 and _has_a_day(cron_of(settings)):
        return "This never happens: no such month has that day. Change the day or the month."
    return (
        f"{error}: this is not a schedule of cron. Five words: minute, hour, day of the month, month, day of the week."
    )


def _has_a_day(cron: str) -> bool:
    """Tell whether the day of the month can be read, so that it is the month that does not have it."""
    minute, hour, day, _, weekday = cron.split()
    try:
        CronSim(f"{minute} {hour} {day} * {weekday}", datetime(2026, 1, 1))  # noqa: DTZ001 - only read
    except CronSimError:
        return False
    return True
