"""What a checked broadcast will cost: by country, as a range, since carriers differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from integrations.platform_sms.models import CREDITS
from integrations.platform_sms.offers import current_offer
from messaging.pricing.estimate import PriceRange, price_ranges

from .models import Broadcast
from .ways import CHINA, offers_platform


@dataclass(frozen=True)
class Country:
    """A country of the dry run; `price` is that of all its segments, None where Twilio named none."""

    region: str
    count: int
    segments: int
    price: PriceRange | None


@dataclass(frozen=True)
class Estimate:
    """Countries, the most people first; a total for each currency, and how many people have no price."""

    countries: list[Country]
    totals: list[PriceRange]
    without_price: int

    def as_json(self) -> list[dict[str, str]]:
        """Return the totals as they are kept beside the real price."""
        return [{"low": str(one.low), "high": str(one.high), "unit": one.unit} for one in self.totals]


def estimate_of(broadcast: Broadcast, *, may_ask: bool = True) -> Estimate:
    """Return the estimate of a checked broadcast; without `may_ask` from prices that are known already."""
    counted: list[dict[str, Any]] = broadcast.summary.get("regions", [])
    prices: dict[str, PriceRange] = {}
    if broadcast.connection is not None:
        prices = price_ranges(
            broadcast.connection, [row["region"] for row in counted], sender=broadcast.sender, may_ask=may_ask
        )
    countries = list(_countries(broadcast, counted, prices))
    totals: dict[str, PriceRange] = {}
    for country in countries:
        if country.price is not None:
            unit = country.price.unit
            totals[unit] = totals[unit].plus(country.price) if unit in totals else country.price
    return Estimate(
        countries=countries,
        totals=list(totals.values()),
        without_price=sum(country.count for country in countries if country.price is None),
    )


def _countries(broadcast: Broadcast, counted: list[dict[str, Any]], prices: dict[str, PriceRange]) -> Iterator[Country]:
    for row in counted:
        if row["region"] == CHINA and offers_platform(broadcast):
            price = _in_credits(row["count"])
        else:
            of_one = prices.get(row["region"])
            price = of_one.times(row["segments"]) if of_one is not None else None
        yield Country(row["region"], row["count"], row["segments"], price)


def _in_credits(count: int) -> PriceRange | None:
    """Return what platform SMS to so many people takes: a price for each message, however long it is."""
    offer = current_offer().domestic
    if offer is None:
        return None
    total = offer.price * count
    return PriceRange(low=total, high=total, unit=CREDITS, fetched_at=timezone.now())
