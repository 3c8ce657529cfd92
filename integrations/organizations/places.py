"""Countries, time zones and languages to choose from."""

import functools
import zoneinfo

import phonenumbers
from django.conf import global_settings

from integrations.phones import region_name


@functools.cache
def regions() -> list[tuple[str, str]]:
    """Return (region code, "Country (+49)") for every region phone numbers are read in, by name."""
    named = []
    for code in phonenumbers.SUPPORTED_REGIONS:
        calling = phonenumbers.country_code_for_region(code)
        named.append((code, f"{region_name(code)} (+{calling})"))
    return sorted(named, key=lambda pair: pair[1])


@functools.cache
def time_zones() -> list[tuple[str, str]]:
    """Return (name, name in words) of the zones a place would name; UTC stands first."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(_NOT_PLACES))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def languages() -> list[tuple[str, str]]:
    """Return (code, name) of the languages an organization can write to its recipients in."""
    # All that Django knows, and not the few that our own public pages are translated into.
    return [(code, name) for code, name in global_settings.LANGUAGES if len(code) <= 12]


def is_region(code: str) -> bool:
    """Tell whether phone numbers are read in a region of that code."""
    return code in phonenumbers.SUPPORTED_REGIONS


def is_time_zone(name: str) -> bool:
    """Tell whether the time zone database knows the name."""
    return name in zoneinfo.available_timezones()


_NOT_PLACES = ("Etc/", "SystemV/", "US/", "posix/", "right/", "Brazil/", "Canada/", "Chile/", "Mexico/")
