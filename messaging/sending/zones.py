"""Where a recipient may be, as names of time zones: for quiet hours, which are theirs and not the sender's."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import PhoneNumber
from phonenumbers.timezone import time_zones_for_number

from integrations.phones import Phone
from messaging.contacts.models import Contact


def zones_of(phone: Phone, *, contact: Contact | None) -> str:
    """Return the recipient's zones with blanks between; "" where nobody can tell.

    What stands at the contact is believed. A number tells the zone of its area, or all zones of its country; of many
    only the outermost are kept, because what is not quiet in them is quiet nowhere between.
    """
    return _zone_of_contact(contact) or " ".join(_outermost(_zones_of_number(phone), datetime.now(UTC).year))


def _zone_of_contact(contact: Contact | None) -> str:
    zone = str(getattr(contact, "time_zone", "") or "")
    return zone if zone and _is_zone(zone) else ""


def _zones_of_number(phone: Phone) -> tuple[str, ...]:
    national = phone.e164[1 + len(str(phone.country_code)) :]
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=phone.country_code,
        national_number=int(national or 0),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return tuple(time_zones_for_number(number))


@lru_cache(maxsize=1024)
def _outermost(names: tuple[str, ...], year: int) -> tuple[str, ...]:
    """Return the zones with the least and the most time, in winter and in summer."""
    known = [name for name in names if _is_zone(name)]
    if len(known) < 2:
        return tuple(known)
    kept: dict[str, None] = {}
    for month in (1, 7):
        moment = datetime(year, month, 1, tzinfo=UTC)

        def offset(name: str, moment: datetime = moment) -> float:
            return moment.astimezone(ZoneInfo(name)).utcoffset().total_seconds()  # type: ignore[union-attr]

        kept |= dict.fromkeys((min(known, key=offset), max(known, key=offset)))
    return tuple(kept)


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    if name == "Etc/Unknown":
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
