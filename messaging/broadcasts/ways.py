"""Which ways the rows of a broadcast go: through its connection, and by platform SMS to Mainland China."""

from integrations.phones import Phone
from integrations.platform_sms.offers import PlatformOffer, current_offer
from messaging.routing.decision import Kind, Route, route_to_china, route_to_world

from .models import Broadcast

CHINA = "CN"


def offers_platform(broadcast: Broadcast) -> bool:
    """Tell whether people in Mainland China get platform SMS: all but those of a broadcast in the sandbox."""
    return not (broadcast.connection is not None and broadcast.connection.is_sandbox)


def goes_by_platform(broadcast: Broadcast, phone: Phone) -> bool:
    """Tell whether a row goes by platform SMS, as the routing table has it."""
    return phone.is_mainland_china and offers_platform(broadcast)


def only_by_platform(broadcast: Broadcast) -> bool:
    """Tell whether, as it was checked, everybody gets platform SMS: then no connection of one's own is needed."""
    regions = {row["region"] for row in broadcast.summary.get("regions", [])}
    return regions == {CHINA} and offers_platform(broadcast)


def way_of(broadcast: Broadcast, *, offer: PlatformOffer | None = None) -> Route:
    """Return the route of a checked broadcast: its connection's, or platform SMS where nobody else is written to."""
    if only_by_platform(broadcast):
        return route_to_china(offer or current_offer())
    return route_to_world(broadcast.connection)


def has_way(route: Route) -> bool:
    return route.kind is not Kind.REFUSED
