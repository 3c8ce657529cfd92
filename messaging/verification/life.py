"""The life of a verification: start, resend, check, cancel. One room, two back ends, one life cycle.

pending → approved | expired | canceled | max_attempts | failed; nothing leads out of an end. Which back end it is goes
by the routing table alone: the organization's Verify Service where it is connected with one, else a code of our own
over its sender or by platform SMS. A broken connection is told of, never got round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from integrations.clock import database_now
from integrations.connections.models import Connection
from integrations.masking import mask_ip
from integrations.organizations.models import Organization
from integrations.phones import Phone, PhoneProblem, parse_phone
from integrations.platform_sms.ledger import InsufficientCredits, balance_of
from messaging.routing.decision import Kind, Route, decide
from messaging.sending.models import Message

from . import limits, moves, own_code, twilio_verify
from .askers import Asker
from .codes import read_code
from .models import Verification, VerificationSend
from .reasons import admin_words
from .refusals import VerificationRefused

Status, Backend, Channel = Verification.Status, Verification.Backend, Verification.Channel

# Codes by e-mail within an hour, to one address and to all; numbers have limits of their own (limits.py).
ADDRESS_PER_HOUR, ADDRESSES_PER_HOUR = 5, 150
OWN_CHANNELS: tuple[str, ...] = (Channel.SMS,)
VERIFY_CHANNELS: tuple[str, ...] = (Channel.SMS, Channel.CALL, Channel.WHATSAPP)


@dataclass(frozen=True)
class Checked:
    """What came of a code: the verification's status now, how many tries are left, and whether this check won.

    Of all checks of one verification at most one is `approved`; whoever comes later reads the status and nothing else.
    """

    status: str
    attempts_left: int
    approved: bool


def start(
    organization: Organization, *, to: str | Phone, channel: str = Channel.SMS, locale: str = "", asker: Asker
) -> Verification:
    """Send a code to a number (or, with the channel email, to an address) and return the verification that awaits it.

    Raises VerificationRefused. Where Twilio's answer was not heard the verification is pending all the same, with
    `outcome_unknown` as its reason: the code may arrive, and nothing is sent twice by itself.
    """
    phone, email = _read_recipient(organization, to, channel=channel)
    if organization.is_suspended:
        raise VerificationRefused("suspended", kind="route")
    backend, route = _way(organization, phone=phone)
    _check_channel(backend, route.connection, channel)
    _check_credits(organization, route)
    if phone is not None:
        _admit(organization, phone=phone, asker=asker, channel=channel)
    else:
        _admit_address(organization, email=email)
    now = database_now()
    with transaction.atomic():
        verification = Verification.objects.create(
            organization=organization,
            phone=phone.e164 if phone else "",
            region=phone.region if phone else "",
            email=email,
            asker_kind=asker.kind,
            asker_id=asker.id,
            backend=backend,
            route=Verification.Route.PLATFORM if route.kind is Kind.PLATFORM else Verification.Route.TWILIO,
            connection=route.connection if route.kind is Kind.TWILIO else None,
            service_sid=route.connection.verify_service_sid if backend == Backend.VERIFY and route.connection else "",
            channel=channel,
            locale=(locale or asker.language)[:12],
            sends=1,
            network=mask_ip(asker.ip)[:60],
            created_at=now,
            expires_at=now + moves.LIFE,
            resend_after=now + pause_after(organization, 1),
        )
        send = _add_send(verification, channel)
    _deliver(verification, send)
    return verification


def resend(verification: Verification, *, channel: str = "", asker: Asker) -> Verification:
    """Send another code, by another channel if one is named; raise VerificationRefused while it is too early.

    With Twilio Verify it is the same code again, with ours a fresh one and the one before is void.
    """
    channel = channel or verification.channel
    if (channel == Channel.EMAIL and not verification.email) or (channel != Channel.EMAIL and verification.email):
        raise VerificationRefused("channel_closed", kind="input", field="channel")
    moves.reread(verification)
    _check_may_resend(verification)
    if (phone := _phone_of(verification)) is not None:
        if verification.route == Verification.Route.PLATFORM:
            _check_credits(verification.organization, _way(verification.organization, phone=phone)[1])
        _admit(verification.organization, phone=phone, asker=asker, channel=channel)
    with transaction.atomic():
        # The lock makes the second of two clicks see the first one's code.
        row = (
            Verification.objects.select_for_update(of=("self",))
            .select_related("organization", "connection")
            .get(pk=verification.pk)
        )
        _check_may_resend(row)
        _check_channel(row.backend, row.connection, channel, service_sid=row.service_sid)
        row.sends += 1
        row.channel = channel
        row.resend_after = database_now() + pause_after(row.organization, row.sends)
        row.save(update_fields=["sends", "channel", "resend_after"])
        send = _add_send(row, channel)
    moves.reread(verification)
    _deliver(verification, send)
    return verification


def check(verification: Verification, *, code: str) -> Checked:
    """Compare a code as somebody typed or pasted it. A wrong one is no error; raise VerificationRefused where none was
    compared, because nothing of it is a code or Twilio could not be asked.
    """
    digits = read_code(code)
    if not digits:
        raise VerificationRefused("bad_code", kind="input", field="code")
    moves.reread(verification)
    is_won = verification.is_pending and _BACKENDS[verification.backend].check(verification, digits)
    if not is_won and verification.state == Status.EXPIRED and verification.status == Status.PENDING:
        moves.end(verification, Status.EXPIRED, reason="expired")
    if is_won and (phone := _phone_of(verification)) is not None:
        limits.approved(verification.organization, phone=phone)
    return Checked(verification.state, moves.attempts_left(verification), is_won)


def cancel(verification: Verification) -> Verification:
    """End a verification that waits: its code no longer proves anything. Once more changes nothing."""
    if moves.end(verification, Status.CANCELED, reason="canceled") and verification.backend == Backend.VERIFY:
        twilio_verify.cancel(verification)
    return verification


def offered_channels(verification: Verification) -> list[str]:
    """Return the channels by which another code can be had; those that the service does not send by are left out."""
    if not verification.is_pending or verification.sends >= moves.SENDS_AT_MOST:
        return []
    return channels_of(
        verification.backend,
        verification.connection,
        service_sid=verification.service_sid,
        is_email=bool(verification.email),
    )


def channels_for(organization: Organization, *, phone: Phone) -> list[str]:
    """Return the channels by which a first code can be had; none where nothing can be sent."""
    try:
        backend, route = _way(organization, phone=phone)
    except VerificationRefused:
        return []
    return channels_of(backend, route.connection)


def channels_of(
    backend: str, connection: Connection | None, *, service_sid: str = "", is_email: bool = False
) -> list[str]:
    """Return the channels that a back end sends numbers (or addresses) their codes by, SMS first."""
    if backend == Backend.OWN or connection is None:
        return [] if is_email else list(OWN_CHANNELS)
    closed = twilio_verify.closed_channels(connection, service_sid=service_sid or connection.verify_service_sid)
    channels = (Channel.EMAIL,) if is_email else VERIFY_CHANNELS
    return [channel for channel in channels if channel not in closed]


def pause_after(organization: Organization, sends: int) -> timedelta:
    """Return how long to wait after so many codes before the next one."""
    return timedelta(seconds=limits.resend_wait_of(organization, sends=sends))


def _check_credits(organization: Organization, route: Route) -> None:
    """Refuse what could not be paid before the limits count it as a code that left.

    The outbox looks once more, with the account locked.
    """
    if route.kind is Kind.PLATFORM and (balance := balance_of(organization)) < route.price:
        problem = InsufficientCredits(needed=route.price, balance=balance)
        raise VerificationRefused(problem.code, kind="route", detail=problem.detail)


def _admit(organization: Organization, *, phone: Phone, asker: Asker, channel: str) -> None:
    """Hold the request to the limits; raise VerificationRefused."""
    try:
        limits.admit(organization, phone=phone, asker=asker, channel=channel)
    except limits.LimitReached as reached:
        raise VerificationRefused(
            reached.name,
            kind="limit",
            visitor=reached.visitor,
            detail=reached.detail,
            retry_after=reached.retry_after,
            # Waiting does not help: another number does.
            field="to" if reached.name in {"kind", "regions"} else "",
        ) from reached


def _phone_of(verification: Verification) -> Phone | None:
    """Return the number to be proved; None for an address, and once the person was erased."""
    if not verification.phone.startswith("+"):
        return None
    return parse_phone(verification.phone, region=None, allow_magic=True)


def _admit_address(organization: Organization, *, email: str) -> None:
    recent = VerificationSend.objects.filter(
        verification__organization=organization,
        channel=Channel.EMAIL,
        verification__created_at__gte=database_now() - timedelta(hours=1),
    )
    for name, rows, most in (
        ("number", recent.filter(verification__email__iexact=email), ADDRESS_PER_HOUR),
        ("day", recent, ADDRESSES_PER_HOUR),
    ):
        if rows.count() >= most:
            detail = f"{most} codes went out by e-mail within an hour. Try again later."
            raise VerificationRefused(name, kind="limit", detail=detail, retry_after=600)


# ---- back ends


@dataclass(frozen=True)
class _Backend:
    """How codes of a kind go out and are compared. `put` runs in the transaction of the row, `hand_over` after it."""

    put: Callable[[Verification, VerificationSend], None] | None
    hand_over: Callable[[Verification, VerificationSend], None] | None
    check: Callable[[Verification, str], bool]


_BACKENDS: dict[str, _Backend] = {
    Backend.VERIFY: _Backend(put=None, hand_over=twilio_verify.hand_over, check=twilio_verify.check),
    Backend.OWN: _Backend(put=own_code.put, hand_over=None, check=own_code.check),
}


def _add_send(verification: Verification, channel: str) -> VerificationSend:
    send = VerificationSend.objects.create(verification=verification, channel=channel, at=database_now())
    put = _BACKENDS[verification.backend].put
    if put is not None:
        put(verification, send)
    return send


def _deliver(verification: Verification, send: VerificationSend) -> None:
    hand_over = _BACKENDS[verification.backend].hand_over
    if hand_over is None:
        return
    try:
        hand_over(verification, send)
    except VerificationRefused as refused:
        refused.verification_id = verification.pk
        raise


def _way(organization: Organization, *, phone: Phone | None) -> tuple[str, Route]:
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


def _read_recipient(organization: Organization, to: str | Phone, *, channel: str) -> tuple[Phone | None, str]:
    if channel not in Channel.values:
        raise VerificationRefused("unknown_channel", kind="input", field="channel")
    if isinstance(to, Phone):
        if channel == Channel.EMAIL:
            raise VerificationRefused("bad_email", kind="input", field="to")
        return to, ""
    if channel == Channel.EMAIL:
        address = to.strip()
        try:
            validate_email(address)
        except ValidationError as error:
            raise VerificationRefused("bad_email", kind="input", field="to") from error
        return None, address
    try:
        return parse_phone(to, region=organization.default_region, allow_magic=True), ""
    except PhoneProblem as problem:
        raise VerificationRefused(problem.code, kind="input", detail=problem.message, field="to") from problem


def _check_channel(backend: str, connection: Connection | None, channel: str, *, service_sid: str = "") -> None:
    offered = channels_of(backend, connection, service_sid=service_sid, is_email=channel == Channel.EMAIL)
    if channel not in offered:
        raise VerificationRefused("channel_closed", kind="input", field="channel")


def _check_may_resend(verification: Verification) -> None:
    if not verification.is_pending:
        raise VerificationRefused(
            verification.state, kind="ended", detail=admin_words(reason=verification.state).sentence
        )
    wait = (verification.resend_after - database_now()).total_seconds()
    if wait > 0:
        raise VerificationRefused("resend_too_early", kind="limit", retry_after=max(1, round(wait)))
    if verification.sends >= moves.SENDS_AT_MOST:
        raise VerificationRefused("too_many_sends", kind="limit", retry_after=600)
