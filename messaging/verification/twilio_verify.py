"""The organization's Verify Service: it makes, sends and compares the codes; we only hear what came of it.

Nothing here runs inside a transaction. What Twilio surely refused is told at once; where its answer was not heard,
nothing is sent a second time by itself: the code may be on its way, and works if it comes.
"""

import time
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings

from integrations.clock import database_now
from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from integrations.masking import mask_ip
from integrations.organizations.models import Organization
from integrations.phones import Phone
from integrations.twilio.client import Gateway, gateway_for
from integrations.twilio.error_table import explain
from integrations.twilio.errors import TwilioError, TwilioOutcomeUnknown, TwilioRefused, TwilioUnreachable
from integrations.twilio.results import VerificationSnapshot
from messaging.sending.verdict import judge

from . import moves
from .askers import PUBLIC, Asker
from .models import ClosedChannel, Verification, VerificationSend
from .refusals import WAITS, VerificationRefused, by_twilio
from .texts import twilio_locale

log = structlog.get_logger(__name__)
Status, Outcome = Verification.Status, VerificationSend.Outcome

PATIENCE = 8.0  # seconds: somebody sits before the page
LOOK_PATIENCE = 3.0
WAIT_FOR_OTHER_CHECK = 3.0
# Twilio does not send codes by this channel until somebody changes the service.
CHANNEL_CODES = frozenset({60217, 60222, 60223, 60242})
NO_SUCH_THING, TOO_MANY_CHECKS, TOO_MANY_SENDS = 20404, 60202, 60203

_ENDS: dict[str, str] = {
    "approved": Status.APPROVED,
    "canceled": Status.CANCELED,
    "expired": Status.EXPIRED,
    "max_attempts_reached": Status.MAX_ATTEMPTS,
    "failed": Status.FAILED,
}


def refuse_without_tries(organization: Organization, *, phone: Phone | None, service_sid: str, asker: Asker) -> None:
    """Raise VerificationRefused for visitors whose network has used up its tries at the code that the number has.

    Twilio would send that same code again, and here nobody of theirs could enter it.
    """
    if phone is None or not asker.is_public:
        return
    used_up = Verification.objects.filter(
        organization=organization, phone=phone.e164, service_sid=service_sid, network=mask_ip(asker.ip)[:60],
        asker_kind__in=PUBLIC, status=Status.MAX_ATTEMPTS, expires_at__gt=database_now(),
    ).exclude(provider_sid="")  # fmt: skip
    until = used_up.order_by("expires_at").values_list("expires_at", flat=True).last()
    if until is not None:
        wait = max(1, round((until - database_now()).total_seconds()))
        raise VerificationRefused("max_attempts", kind="limit", retry_after=wait)


def hand_over(verification: Verification, send: VerificationSend) -> None:
    """Have the Verify Service send its code; raise VerificationRefused where it surely did not.

    A refused first code ends the verification, unless so many were sent to the number that Twilio sends no more; a
    refused further one leaves it as it is. In both cases the code that came last still works.
    """
    try:
        answer = _gateway(verification).start_verification(
            verification.service_sid,
            to=verification.phone or verification.email,
            channel=send.channel,
            locale=twilio_locale(verification.locale),
        )
    except ConnectionUnusable as unusable:
        _refuse(verification, send, reason=_reason(unusable))
        raise _unusable(unusable) from unusable
    except TwilioOutcomeUnknown as unknown:
        log.warning("verification_start_unknown", verification_id=str(verification.pk), code=unknown.code)
        _write(send, outcome=Outcome.UNKNOWN, code=unknown.code, reason="outcome_unknown")
        Verification.objects.filter(pk=verification.pk, status=Status.PENDING).update(
            error_code=unknown.code, error_reason="outcome_unknown"
        )
        moves.reread(verification)
    except TwilioError as error:
        raise _refused(verification, send, error) from error
    else:
        _taken(verification, send, answer)


def _taken(verification: Verification, send: VerificationSend, answer: VerificationSnapshot) -> None:
    _write(send, outcome=Outcome.SENT)
    changes: dict[str, Any] = {
        "provider_sid": answer.sid[:34],
        "error_code": None,
        "error_reason": "",
        # What is known of the code before no longer matters: this one may fare otherwise.
        "undelivered_at": None,
        "reported_at": None,
    }
    if verification.provider_sid and verification.provider_sid != answer.sid:
        # The one before had ended at Twilio: this is another code, with tries and time of its own.
        changes |= {"expires_at": database_now() + moves.LIFE, "checks": 0}
    elif not verification.provider_sid:
        older = Verification.objects.filter(
            organization=verification.organization_id, provider_sid=answer.sid, status=Status.PENDING
        ).exclude(pk=verification.pk)
        # Twilio counts the ten minutes from the first of those that share its verification.
        if (first := older.order_by("expires_at").values_list("expires_at", flat=True).first()) is not None:
            changes["expires_at"] = min(first, verification.expires_at)
    Verification.objects.filter(pk=verification.pk).update(**changes)
    moves.reread(verification)


def _refused(verification: Verification, send: VerificationSend, error: TwilioError) -> VerificationRefused:
    code, reason = error.code, ""
    if _is_absence(error):
        reason = "verify_service_gone"
    elif code is None:
        reason = "unreachable" if isinstance(error, TwilioUnreachable) else "refused"
    _note_broken(verification, error)
    if code in CHANNEL_CODES and verification.connection is not None:
        close_channel(verification.connection, service_sid=verification.service_sid, channel=send.channel, code=code)
    _refuse(verification, send, code=code, reason=reason)
    return by_twilio(error, reason=reason, field="to" if code in {60200, 60205, 60412} else "")


def _refuse(verification: Verification, send: VerificationSend, *, code: int | None = None, reason: str = "") -> None:
    _write(send, outcome=Outcome.REFUSED, code=code, reason=reason)
    if code == TOO_MANY_CHECKS:
        moves.end(verification, Status.MAX_ATTEMPTS, code=code)
    elif code == TOO_MANY_SENDS and verification.sends <= 1:
        _share_earlier_code(verification)
    elif verification.sends <= 1 or reason == "verify_service_gone":
        moves.end(verification, Status.FAILED, code=code, reason=reason)
    else:
        moves.take_back_send(verification, wait=WAITS.get(code or 0, 0))


def _share_earlier_code(verification: Verification) -> None:
    """Let somebody whose first code was refused because five were sent enter the one that came last: it still works.

    It is Twilio's one verification for the number, with the time and the tries that it has left.
    """
    earlier = (
        Verification.objects.filter(
            organization=verification.organization_id,
            phone=verification.phone,
            email=verification.email,
            service_sid=verification.service_sid,
            status=Status.PENDING,
            expires_at__gt=database_now(),
        )
        .exclude(provider_sid="")
        .order_by("-pk")
        .first()
    )
    changes: dict[str, Any] = {
        "error_code": TOO_MANY_SENDS,
        "resend_after": database_now() + timedelta(seconds=WAITS[TOO_MANY_SENDS]),
    }
    if earlier is not None:
        changes |= {"provider_sid": earlier.provider_sid, "expires_at": earlier.expires_at}
    Verification.objects.filter(pk=verification.pk, status=Status.PENDING).update(**changes)
    moves.reread(verification)


def _write(send: VerificationSend, *, outcome: str, code: int | None = None, reason: str = "") -> None:
    send.outcome, send.error_code, send.error_reason = outcome, code, reason
    send.save(update_fields=["outcome", "error_code", "error_reason"])


def check(verification: Verification, code: str) -> bool:
    """Have the Verify Service compare a code; return whether this call approved the verification.

    A wrong code is no error. Raises VerificationRefused where the code could not be compared; what surely was no
    attempt is given back.
    """
    if not _begin_check(verification):
        return False
    try:
        answer = _gateway(verification).check_verification(
            verification.service_sid,
            code=code,
            sid=verification.provider_sid,
            to=verification.phone or verification.email,
        )
    except ConnectionUnusable as unusable:
        moves.finish_check(verification, counts=False)
        raise _unusable(unusable) from unusable
    except TwilioOutcomeUnknown as unknown:
        return _after_silence(verification, unknown)
    except TwilioRefused as refused:
        return _after_refusal(verification, refused)
    except TwilioError as error:
        moves.finish_check(verification, counts=False)
        reason = "unreachable" if isinstance(error, TwilioUnreachable) else "refused"
        raise by_twilio(error, reason=reason) from error
    if answer.status == "approved":
        return moves.end(verification, Status.APPROVED)
    if not verification.provider_sid and answer.sid:
        Verification.objects.filter(pk=verification.pk, provider_sid="").update(provider_sid=answer.sid[:34])
    if answer.status in _ENDS:
        moves.end(verification, _ENDS[answer.status], reason=_ENDS[answer.status])
        return False
    moves.reread(verification)
    if moves.attempts_left(verification):
        moves.finish_check(verification)
    else:
        moves.end(verification, Status.MAX_ATTEMPTS, reason="max_attempts")
    return False


def _begin_check(verification: Verification) -> bool:
    """Take the right to check, waiting a moment for another check; False where the verification has ended."""
    until = time.monotonic() + WAIT_FOR_OTHER_CHECK
    while not moves.begin_check(verification):
        moves.reread(verification)
        if not verification.is_pending:
            return False
        is_used_up = verification.checks >= moves.CHECKS_AT_MOST or not moves.network_checks_left(verification)
        if is_used_up and verification.checking_until is None:
            moves.end(verification, Status.MAX_ATTEMPTS, reason="max_attempts")
            return False
        if time.monotonic() >= until:
            raise VerificationRefused("busy", kind="limit", retry_after=2)
        time.sleep(0.05)
    moves.reread(verification)
    return True


def _after_refusal(verification: Verification, refused: TwilioRefused) -> bool:
    """End what Twilio will compare no code with any more, and say why; whatever else it refused leaves all as it is."""
    if refused.code == TOO_MANY_CHECKS:
        moves.end(verification, Status.MAX_ATTEMPTS, code=TOO_MANY_CHECKS)
        return False
    if _is_absence(refused):
        return _after_absence(verification)
    _note_broken(verification, refused)
    moves.finish_check(verification, counts=False)
    raise by_twilio(refused) from refused


def _is_absence(error: TwilioError) -> bool:
    """Tell whether what was asked for is not there; other codes come with 404 too and mean what they mean."""
    return (
        isinstance(error, TwilioRefused)
        and error.http_status == HTTPStatus.NOT_FOUND
        and error.code in {None, NO_SUCH_THING}
    )


def _after_absence(verification: Verification) -> bool:
    """Find out why a check was answered with 404: expired, approved, exhausted, canceled, or the service is gone."""
    found = _look(verification)
    if found == "approved":
        # It was approved before this code came: by who shares Twilio's verification, be it an application of the
        # organization's that uses the same service. Whatever was entered here was not compared, and proves nothing.
        moves.end(verification, Status.EXPIRED, code=NO_SUCH_THING, reason="used")
    elif found in _ENDS:
        moves.end(verification, _ENDS[found], code=NO_SUCH_THING, reason=_ENDS[found])
    elif found == "no_service":
        moves.end(verification, Status.FAILED, code=NO_SUCH_THING, reason="verify_service_gone")
    elif not moves.attempts_left(verification):
        moves.end(verification, Status.MAX_ATTEMPTS, code=NO_SUCH_THING)
    else:
        moves.end(verification, Status.EXPIRED, code=NO_SUCH_THING, reason="gone")
    return False


def _after_silence(verification: Verification, unknown: TwilioOutcomeUnknown) -> bool:
    """Ask whether a check whose answer was not heard approved the verification."""
    if _look(verification) == "approved":
        return _approved_unheard(verification)
    moves.finish_check(verification)
    raise VerificationRefused("check_unknown", kind="provider", retry_after=2) from unknown


def _approved_unheard(verification: Verification) -> bool:
    """Take Twilio's approval whose answer was lost on the way.

    Only one check of a verification is on its way at a time, so the right code came by this one, unless others share
    Twilio's verification: then it was one of theirs, and a code proves a number once.
    """
    if moves.has_siblings(verification):
        moves.end(verification, Status.EXPIRED, reason="used")
        return False
    return moves.end(verification, Status.APPROVED)


def _look(verification: Verification) -> str:
    """Return Twilio's status of the verification, `no_service` where its service is gone, "" where it does not say."""
    try:
        gateway = _gateway(verification, patience=LOOK_PATIENCE)
        if verification.provider_sid:
            try:
                return gateway.fetch_verification(verification.service_sid, verification.provider_sid).status
            except TwilioRefused as refused:
                if refused.http_status != HTTPStatus.NOT_FOUND:
                    raise
        gateway.fetch_verify_service(verification.service_sid)
    except TwilioRefused as refused:
        return "no_service" if refused.http_status == HTTPStatus.NOT_FOUND else ""
    except (TwilioError, ConnectionUnusable):
        return ""
    return ""


def cancel(verification: Verification) -> None:
    """Tell Twilio that no code is awaited any more, unless another verification shares this one. Best effort."""
    if not verification.provider_sid:
        return
    if siblings_wait(verification):
        return
    try:
        _gateway(verification, patience=LOOK_PATIENCE).cancel_verification(
            verification.service_sid, verification.provider_sid
        )
    except (TwilioError, ConnectionUnusable) as error:
        # It ends by itself within ten minutes, and here nobody can enter its code any more.
        log.info("verification_cancel_refused", verification_id=str(verification.pk), error=type(error).__name__)


def siblings_wait(verification: Verification) -> bool:
    """Tell whether another verification that shares Twilio's one still waits for its code."""
    return bool(moves.siblings(verification).exclude(pk=verification.pk).filter(status=Status.PENDING).exists())


# ---- channels


def close_channel(connection: Connection, *, service_sid: str, channel: str, code: int) -> None:
    """Remember that a Verify Service does not send by this channel, so that it is not offered again."""
    ClosedChannel.objects.update_or_create(
        connection=connection, service_sid=service_sid, channel=channel, defaults={"error_code": code}
    )
    log.info("verification_channel_closed", connection_id=str(connection.pk), channel=channel, code=code)


def closed_channels(connection: Connection, *, service_sid: str) -> set[str]:
    """Return the channels that are not offered."""
    rows = ClosedChannel.objects.filter(connection=connection, service_sid=service_sid)
    return set(rows.values_list("channel", flat=True))


# ---- the connection


def _gateway(verification: Verification, *, patience: float = PATIENCE) -> Gateway:
    """Return the gateway of the connection as it is now; raise ConnectionUnusable where it cannot be used."""
    if verification.connection_id is None:
        raise ConnectionUnusable("not_connected", "The verification has no connection.")
    connection = Connection.objects.get(pk=verification.connection_id)
    if connection.status == Connection.Status.BROKEN:
        raise ConnectionUnusable("connection_broken", broken_words(connection))
    verification.connection = connection
    return gateway_for(credentials_of(connection), timeout=min(patience, settings.TWILIO_TIMEOUT))


def broken_words(connection: Connection) -> str:
    """Say why a connection is broken and what mends it."""
    cause = explain(connection.broken_code)
    return f"The connection “{connection.name}” is broken: {cause.title} {cause.remedy}"


def _reason(unusable: ConnectionUnusable) -> str:
    return "not_connected" if unusable.code == "not_connected" else "connection_broken"


def _unusable(unusable: ConnectionUnusable) -> VerificationRefused:
    return VerificationRefused(_reason(unusable), kind="route", detail=unusable.detail)


def _note_broken(verification: Verification, error: TwilioError) -> None:
    verdict = judge(error, attempts=1)
    if verdict.breaks_connection and verdict.code is not None and verification.connection is not None:
        mark_broken(verification.connection, code=verdict.code)
