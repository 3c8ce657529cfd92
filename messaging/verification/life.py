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
from integrations.masking import mask_ip
from integrations.organizations.models import Organization
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.routing.decision import Kind

from . import limits, moves, own_code, telling, twilio_verify
from .askers import Asker
from .codes import read_code
from .models import Verification, VerificationSend
from .reasons import admin_words
from .refusals import VerificationRefused
from .ways import channels_of, check_channel, check_credits, way_of

Status, Backend, Channel = Verification.Status, Verification.Backend, Verification.Channel


@dataclass(frozen=True)
class Checked:
    """What came of a code: the verification's status now, how many tries are left, and whether this check won.

    Of all checks of one verification at most one is `approved`; whoever comes later reads the status and nothing else.
    """

    status: str
    attempts_left: int
    approved: bool


def start(
    organization: Organization,
    *,
    to: str | Phone,
    channel: str = Channel.SMS,
    locale: str = "",
    asker: Asker,
    keep: Callable[[Verification], None] | None = None,
) -> Verification:
    """Send a code to a number (or, with the channel email, to an address) and return the verification that awaits it.

    Raises VerificationRefused. Where Twilio's answer was not heard the verification is pending all the same, with
    `outcome_unknown` as its reason: the code may arrive, and nothing is sent twice by itself. `keep` is called in the
    transaction of the new row, before anything leaves; what it raises undoes the row.
    """
    phone, email = _read_recipient(organization, to, channel=channel)
    if organization.is_suspended:
        raise VerificationRefused("suspended", kind="route")
    with telling.of_refusals(organization, phone=phone, asker=asker):
        backend, route = way_of(organization, phone=phone)
        check_channel(backend, route.connection, channel)
        check_credits(organization, route)
        service_sid = route.connection.verify_service_sid if backend == Backend.VERIFY and route.connection else ""
        if service_sid:
            twilio_verify.refuse_without_tries(organization, phone=phone, service_sid=service_sid, asker=asker)
        _admit(organization, phone=phone, email=email, asker=asker, channel=channel)
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
                service_sid=service_sid,
                channel=channel,
                locale=(locale or asker.language)[:12],
                sends=1,
                network=mask_ip(asker.ip)[:60],
                created_at=now,
                expires_at=now + moves.LIFE,
                resend_after=now + pause_after(organization, 1),
            )
            if keep is not None:
                keep(verification)
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
    phone = _phone_of(verification)
    with telling.of_refusals(verification.organization, phone=phone, asker=asker):
        if phone is not None and verification.route == Verification.Route.PLATFORM:
            check_credits(verification.organization, way_of(verification.organization, phone=phone)[1])
        if phone is not None or verification.email:
            _admit(verification.organization, phone=phone, email=verification.email, asker=asker, channel=channel)
        with transaction.atomic():
            # The lock makes the second of two clicks see the first one's code.
            row = (
                Verification.objects.select_for_update(of=("self",))
                .select_related("organization", "connection")
                .get(pk=verification.pk)
            )
            _check_may_resend(row)
            check_channel(row.backend, row.connection, channel, service_sid=row.service_sid)
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
    if verification.status == Status.PENDING:  # nothing leads out of an end
        moves.reread(verification)
    is_won = verification.is_pending and _BACKENDS[verification.backend].check(verification, digits)
    if not is_won and verification.status == Status.PENDING and not verification.is_pending:
        moves.end_late(verification)
    if verification.error_reason == telling.GONE:
        telling.service_gone(verification)
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
    phone = _phone_of(verification)
    found = channels_of(
        verification.backend,
        verification.connection,
        service_sid=verification.service_sid,
        is_email=bool(verification.email),
    )
    return [channel for channel in found if phone is None or limits.takes(phone, channel=channel)]


def pause_after(organization: Organization, sends: int) -> timedelta:
    """Return how long to wait after so many codes before the next one."""
    return timedelta(seconds=limits.resend_wait_of(organization, sends=sends))


def _admit(organization: Organization, *, phone: Phone | None, email: str, asker: Asker, channel: str) -> None:
    """Hold the request to the limits; raise VerificationRefused."""
    try:
        if phone is not None:
            limits.admit(organization, phone=phone, asker=asker, channel=channel)
        else:
            limits.admit_address(organization, email=email)
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
    try:
        if hand_over is not None:
            hand_over(verification, send)
    except VerificationRefused as refused:
        refused.verification_id = verification.pk
        raise
    if send.outcome == VerificationSend.Outcome.SENT:
        telling.code_left(verification.organization, phone=_phone_of(verification))


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
