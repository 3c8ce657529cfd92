"""The countries of a number: a list to choose from, so that no number is read as one of another country."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from django.utils.translation import gettext as _

from integrations.phones import region_name
from integrations.region_names import REGION_NAMES


@dataclass(frozen=True)
class Country:
    """A country and the code its numbers begin with."""

    region: str
    code: int

    @property
    def name(self) -> str:
        """The name in English, which a browser replaces by the one in its language; ours where that says too much."""
        return _("Mainland China") if self.region == "CN" else region_name(self.region)


@lru_cache(maxsize=1)
def every_country() -> tuple[Country, ...]:
    """Return all countries whose numbers are known, by their English names."""
    regions = sorted(set(REGION_NAMES) & set(phonenumbers.SUPPORTED_REGIONS), key=region_name)
    return tuple(Country(region, phonenumbers.country_code_for_region(region)) for region in regions)


def some_countries(regions: Collection[str]) -> tuple[Country, ...]:
    """Return the countries of these regions, in the order of all."""
    return tuple(country for country in every_country() if country.region in regions)


def chosen_region(wanted: str, *, offered: Sequence[Country], usual: str) -> str:
    """Return the country chosen beside a number, or the only one there is; else the usual one."""
    regions = [country.region for country in offered]
    if wanted in regions:
        return wanted
    return regions[0] if len(regions) == 1 else usual


def likely_region(accept_language: str, *, usual: str, offered: Sequence[Country]) -> str:
    """Return the country to begin with: the one that the browser's first language names, else the usual one.

    American English is what browsers come with everywhere, and says nothing of where somebody is.
    """
    known = {country.region for country in offered}
    language, _dash, region = accept_language[:40].split(",")[0].split(";")[0].strip().rpartition("-")
    if language and not language.lower().startswith("en") and region.upper() in known:
        return region.upper()
    return usual if usual in known or not offered else offered[0].region
