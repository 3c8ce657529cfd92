"""What a segment to a country will cost: a range, since carriers differ and Twilio decides by the carrier.

Twilio's answers are kept for a day per connection (an account may have prices of its own). What is older still serves,
with its age, while a worker asks anew. A page waits for Twilio at most once, and not for long: after a failure nobody
asks on this connection for a minute.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from integrations.connections.models import Connection

from . import refresh
from .models import CountryPrice
from .senders import sender_type

KEPT_FOR = timedelta(days=1)
_REGION = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class PriceRange:
    """From the cheapest to the dearest carrier, for one segment unless multiplied; `unit` is the currency."""

    low: Decimal
    high: Decimal
    unit: str
    fetched_at: datetime

    @property
    def is_old(self) -> bool:
        return timezone.now() - self.fetched_at > KEPT_FOR

    def times(self, segments: int) -> "PriceRange":
        """Return the range for so many segments."""
        return replace(self, low=self.low * segments, high=self.high * segments)

    def plus(self, other: "PriceRange") -> "PriceRange":
        """Return the sum of two ranges of one currency; it is as old as the older one."""
        if other.unit != self.unit:
            raise ValueError("two currencies cannot be added")
        return PriceRange(
            low=self.low + other.low,
            high=self.high + other.high,
            unit=self.unit,
            fetched_at=min(self.fetched_at, other.fetched_at),
        )

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{_amount(self.high)} {self.unit}"
        return f"{_amount(self.low)} – {_amount(self.high)} {self.unit}"


def price_range(connection: Connection, region: str, *, sender: str = "") -> PriceRange | None:
    """Return what a segment to the country costs from `sender`, or from whatever the connection sends with.

    None where it is not known (yet): with test credentials, where Twilio sells nothing, or does not answer now.
    """
    return price_ranges(connection, [region], sender=sender).get(region)


def price_ranges(
    connection: Connection, regions: Iterable[str], *, sender: str = "", may_ask: bool = True
) -> dict[str, PriceRange]:
    """Return the ranges of many countries; those that are not known are left out.

    What is missing is asked for at once, many countries at a time, within two seconds in all; the rest comes from a
    worker and is there next time. With `may_ask` false only what is known already is looked at.
    """
    wanted = {region for region in regions if _REGION.fullmatch(region)}
    if not wanted or connection.mode == Connection.Mode.TEST:
        return {}
    known = {row.region: row for row in CountryPrice.objects.filter(connection=connection, region__in=wanted)}
    if may_ask and connection.is_usable:
        missing = [region for region in sorted(wanted) if region not in known or known[region].fetched_at is None]
        known |= {row.region: row for row in refresh.fetch_now(connection, missing)}
        oldest = timezone.now() - KEPT_FOR
        refresh.fetch_later(
            connection, [row.region for row in known.values() if row.fetched_at is not None and row.fetched_at < oldest]
        )
    kind = sender_type(sender or connection.sends_as)
    found = {region: _range_of(row, kind) for region, row in known.items()}
    return {region: one for region, one in found.items() if one is not None}


def _range_of(row: CountryPrice, kind: str) -> PriceRange | None:
    """Return the range for one type of sender; of all where the type is not known or has no price of its own."""
    if row.fetched_at is None or not row.by_type:
        return None
    by_type: Mapping[str, list[str]] = row.by_type
    pairs = [by_type[kind]] if kind in by_type else list(by_type.values())
    return PriceRange(
        low=min(Decimal(low) for low, _ in pairs),
        high=max(Decimal(high) for _, high in pairs),
        unit=row.unit,
        fetched_at=row.fetched_at,
    )


def _amount(value: Decimal) -> str:
    """Write an amount with two to four decimals: a segment costs parts of a cent, a broadcast thousands."""
    if value >= 100:
        return f"{value:,.2f}"
    text = f"{value:.4f}"
    return text[:-2] if text.endswith("00") else text.removesuffix("0")
