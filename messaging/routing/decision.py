"""Which way a message goes, and why: one pure table, and the reading of the organization it needs."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection
from integrations.organizations.models import Organization
from integrations.phones import Phone
from integrations.platform_sms.offers import NOTHING, Offer, PlatformOffer, current_offer
from integrations.twilio.error_table import explain

VERIFICATION = "verification"
FREE = Decimal(0)


class Kind(StrEnum):
    """Who carries the message."""

    TWILIO = "twilio"
    PLATFORM = "platform"
    REFUSED = "refused"


@dataclass(frozen=True)
class Route:
    """A decision with its reason in words; `code` names a refusal, `price` is in credits.

    `connection` is the organization's own, or, with platform SMS, the operator's: nothing of that one may be shown.
    """

    kind: Kind
    reason: str
    code: str = ""
    connection: Connection | None = None
    price: Decimal = FREE


def decide(organization: Organization, *, phone: Phone, purpose: str, connection: Connection | None = None) -> Route:
    """Return the route of a message to `phone`; `connection` overrides the organization's default one.

    A connection that is broken is not "not connected": nothing falls back to another way.
    """
    return route_for(connection=connection or default_connection(organization), phone=phone, purpose=purpose)


def route_for(*, connection: Connection | None, phone: Phone, purpose: str) -> Route:
    """Apply the routing table, reading the offer of platform SMS only where the table asks for it."""
    offer = current_offer() if needs_platform(connection, phone, purpose) else NOTHING
    return decide_for(connection, phone, purpose, offer)


def needs_platform(connection: Connection | None, phone: Phone, purpose: str) -> bool:
    """Tell whether the table looks at platform SMS for this number."""
    if phone.is_mainland_china:
        return not _is_in_sandbox(connection)
    return purpose == VERIFICATION and not _is_connected(connection)


def decide_for(connection: Connection | None, phone: Phone, purpose: str, platform: PlatformOffer) -> Route:
    """Apply the routing table; reads nothing.

    ==============  =================  ==================  =======================================
    destination     what is sent       Twilio connected    route
    ==============  =================  ==================  =======================================
    Mainland China  anything           either              platform SMS, at the domestic price
    outside         anything           yes                 Twilio; a broken connection refuses
    outside         verification code  no                  platform SMS, at the price of a code
    outside         anything else      no                  refused
    ==============  =================  ==================  =======================================

    Apart from the table, a connection to the sandbox carries numbers in Mainland China as well: nobody's phone rings
    there, and a trial costs nobody anything.
    """
    if phone.is_mainland_china:
        if _is_in_sandbox(connection):
            return _through_twilio(connection, purpose, where="Mainland China, in the sandbox: a trial without credits")
        return route_to_china(platform)
    if purpose == VERIFICATION and not _is_connected(connection):
        return _by_platform(
            platform.international,
            reason="No Twilio account is connected, so the code goes by platform SMS",
            otherwise="Connect Twilio to send codes outside Mainland China. This installation offers no platform SMS "
            "there.",
            code="not_connected",
        )
    return _through_twilio(connection, purpose, where="Outside Mainland China")


def route_to_world(connection: Connection | None) -> Route:
    """Return the route of messages that go outside Mainland China through a connection; reads nothing."""
    return _through_twilio(connection, "", where="Outside Mainland China")


def route_to_china(platform: PlatformOffer) -> Route:
    """Return the route of whatever goes to Mainland China, the sandbox apart; reads nothing."""
    return _by_platform(
        platform.domestic,
        reason="Mainland China is reached by platform SMS",
        otherwise="Numbers in Mainland China are reached by platform SMS, which this installation does not offer yet. "
        "Ask your operator.",
    )


def _is_connected(connection: Connection | None) -> bool:
    """Tell whether there is a connection, be it broken."""
    return connection is not None and connection.status != Connection.Status.DISCONNECTED


def _is_in_sandbox(connection: Connection | None) -> bool:
    return connection is not None and connection.is_sandbox and _is_connected(connection)


def _by_platform(offer: Offer | None, *, reason: str, otherwise: str, code: str = "no_route") -> Route:
    if offer is None:
        return Route(Kind.REFUSED, otherwise, code=code)
    if not offer.is_working:
        return Route(
            Kind.REFUSED,
            f"{reason}, which does not work at this moment. Your operator has to mend it; try again later.",
            code="platform_unavailable",
        )
    return Route(Kind.PLATFORM, f"{reason}, paid with credits.", connection=offer.carrier, price=offer.price)


def _through_twilio(connection: Connection | None, purpose: str, *, where: str) -> Route:
    if connection is None:
        return Route(Kind.REFUSED, "Connect Twilio to send outside Mainland China.", code="not_connected")
    if connection.status == Connection.Status.BROKEN:
        cause = explain(connection.broken_code)
        return Route(
            Kind.REFUSED,
            f"The connection “{connection.name}” is broken: {cause.title} {cause.remedy}",
            code="connection_broken",
            connection=connection,
        )
    if connection.status != Connection.Status.ACTIVE:
        return Route(Kind.REFUSED, f"The connection “{connection.name}” was disconnected.", code="not_connected")
    if purpose == VERIFICATION and connection.verify_service_sid:
        return Route(Kind.TWILIO, f"{where}, by the Verify Service of “{connection.name}”.", connection=connection)
    if not connection.sends_as:
        return Route(
            Kind.REFUSED,
            f"The connection “{connection.name}” has neither a Messaging Service nor a From number. Add one of them.",
            code="no_sender",
            connection=connection,
        )
    return Route(Kind.TWILIO, f"{where}, through “{connection.name}”.", connection=connection)
