"""From what a clock on a wall shows to the moment: also on the two nights in which clocks are changed."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from integrations.phones import guess_time_zone

_LONGEST_GAP = timedelta(days=2)  # Samoa left out a whole day in 2011
_MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=50_000)
def zone_of_number(phone: str) -> str:
    """Return the zone of a number, "" where it may be one of several; remembered for many more than one page needs."""
    return guess_time_zone(phone)


@lru_cache(maxsize=4096)
def moment_of(local: datetime, zone: str) -> datetime:
    """Return the moment in UTC at which clocks of a zone show this time.

    An hour that happens twice is taken the first time. A minute that never happens is taken as the next one that does.
    """
    there = ZoneInfo(zone)
    until = local + _LONGEST_GAP
    while local < until:
        moment = local.replace(tzinfo=there).astimezone(UTC)
        if moment.astimezone(there).replace(tzinfo=None) == local:
            return moment
        local = local.replace(second=0, microsecond=0) + _MINUTE
    return local.replace(tzinfo=there).astimezone(UTC)
