"""What platform SMS this installation offers: by destination, who carries it and what a message costs."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from integrations.connections.models import Connection
from integrations.organizations.models import Organization

from .models import PlatformDestination

Destination = PlatformDestination.Destination


@dataclass(frozen=True)
class Offer:
    """Platform SMS to one destination; `is_working` is false while its carrier cannot send."""

    destination: str
    carrier: Connection
    price: Decimal
    is_working: bool = True


@dataclass(frozen=True)
class PlatformOffer:
    """What is offered; None where the operator chose no carrier."""

    domestic: Offer | None = None
    international: Offer | None = None


NOTHING = PlatformOffer()


def current_offer() -> PlatformOffer:
    """Read what is offered now."""
    rows = PlatformDestination.objects.exclude(carrier=None).select_related("carrier__organization")
    found = {row.destination: _offer(row) for row in rows}
    return PlatformOffer(domestic=found.get(Destination.DOMESTIC), international=found.get(Destination.INTERNATIONAL))


def price_of(destination: str, *, own: Decimal | None) -> Decimal:
    """Return the price of a message: the operator's own, else that of the settings."""
    if own is not None:
        return own
    is_domestic = destination == Destination.DOMESTIC
    return settings.PLATFORM_DOMESTIC_PRICE if is_domestic else settings.PLATFORM_INTERNATIONAL_CODE_PRICE


def can_carry(carrier: Connection) -> bool:
    """Tell whether a connection can send at this moment."""
    return bool(
        carrier.status == Connection.Status.ACTIVE
        and carrier.organization.status == Organization.Status.ACTIVE
        and (carrier.webhook_url if carrier.is_webhook else carrier.sends_as)
    )


def _offer(row: PlatformDestination) -> Offer:
    assert row.carrier is not None  # noqa: S101 - those without one were left out
    return Offer(
        destination=row.destination,
        carrier=row.carrier,
        price=price_of(row.destination, own=row.price),
        is_working=can_carry(row.carrier),
    )
