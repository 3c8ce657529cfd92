"""Which way codes take: the back end, by the routing table alone, what it costs, and the channels that it sends by."""

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.phones import Phone
from integrations.platform_sms.ledger import InsufficientCredits, balance_of
from messaging.routing.decision import Kind, Route, decide
from messaging.sending.models import Message

from . import limits, twilio_verify
from .models import Verification
from .reasons import admin_words
from .refusals import VerificationRefused

Backend, Channel = Verification.Backend, Verification.Channel

OWN_CHANNELS: tuple[str, ...] = (Channel.SMS,)
VERIFY_CHANNELS: tuple[str, ...] = (Channel.SMS, Channel.CALL, Channel.WHATSAPP)


def way_of(organization: Organization, *, phone: Phone | None) -> tuple[str, Route]:
    """Return the back end and the route, as the routing table has them; raise VerificationRefused where there is none.

    An e-mail address has no country; it goes by the organization's Verify Service or not at all.
    """
    if phone is None:
        route = _way_of_email(organization)
    else:
        route = decide(organization, phone=phone, purpose=Message.Purpose.VERIFICATION)
    if route.kind is Kind.REFUSED:
        raise VerificationRefused(route.code, kind="route", detail=route.reason)
    connection = route.connection
    is_service = route.kind is Kind.TWILIO and connection is not None and connection.verify_service_sid
    # Test credentials know no Verify: https://www.twilio.com/docs/iam/test-credentials
    if is_service and connection is not None and connection.mode != Connection.Mode.TEST:
        return Backend.VERIFY, route
    if phone is None:
        raise VerificationRefused("channel_closed", kind="input", field="channel")
    return Backend.OWN, route


def _way_of_email(organization: Organization) -> Route:
    connection = Connection.objects.filter(organization=organization, is_default=True).first()
    if connection is None or connection.status == Connection.Status.DISCONNECTED:
        return Route(Kind.REFUSED, admin_words(reason="not_connected").sentence, code="not_connected")
    if connection.status == Connection.Status.BROKEN:
        return Route(Kind.REFUSED, twilio_verify.broken_words(connection), code="connection_broken")
    return Route(Kind.TWILIO, "By e-mail, through the Verify Service.", connection=connection)


def check_credits(organization: Organization, route: Route) -> None:
    """Refuse what could not be paid before the limits count it as a code that left.

    The outbox looks once more, with the account locked.
    """
    if route.kind is Kind.PLATFORM and (balance := balance_of(organization)) < route.price:
        problem = InsufficientCredits(needed=route.price, balance=balance)
        raise VerificationRefused(problem.code, kind="route", detail=problem.detail)


def channels_for(organization: Organization, *, phone: Phone) -> list[str]:
    """Return the channels by which a first code can be had; none where nothing can be sent."""
    try:
        backend, route = way_of(organization, phone=phone)
    except VerificationRefused:
        return []
    return [channel for channel in channels_of(backend, route.connection) if limits.takes(phone, channel=channel)]


def channels_of(
    backend: str, connection: Connection | None, *, service_sid: str = "", is_email: bool = False
) -> list[str]:
    """Return the channels that a back end sends numbers (or addresses) their codes by, SMS first."""
    if backend == Backend.OWN or connection is None:
        return [] if is_email else list(OWN_CHANNELS)
    closed = twilio_verify.closed_channels(connection, service_sid=service_sid or connection.verify_service_sid)
    channels = (Channel.EMAIL,) if is_email else VERIFY_CHANNELS
    return [channel for channel in channels if channel not in closed]


def check_channel(backend: str, connection: Connection | None, channel: str, *, service_sid: str = "") -> None:
    """Refuse a channel that no code can be sent by."""
    offered = channels_of(backend, connection, service_sid=service_sid, is_email=channel == Channel.EMAIL)
    if channel not in offered:
        raise VerificationRefused("channel_closed", kind="input", field="channel")
