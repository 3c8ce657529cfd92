"""Apply a stored status callback: forward only, once, and never against what we know better."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.sending.models import Message, MessageEvent
from messaging.sending.refusals import note_opt_out
from messaging.sending.statuses import AT_TWILIO, FAILURES, FROM_TWILIO
from messaging.sending.transitions import Move, advance_one
from messaging.sending.verdict import OPT_OUT_CODES

from .models import Callback

log = structlog.get_logger(__name__)

_Outcome = Callback.Outcome


def apply_status(callback: Callback) -> str:
    """Apply one callback, write down what came of it, and return that (a Callback.Outcome).

    Twilio promises no order and may repeat itself (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status),
    so the change is one conditional UPDATE that only moves forward. Our id in the address finds the message even
    before the API's answer with the SID was stored.
    """
    try:
        with transaction.atomic():
            outcome = _apply(callback)
    except IntegrityError:
        outcome = _Outcome.CONTRADICTS
    callback.outcome = outcome
    Callback.objects.filter(pk=callback.pk).update(outcome=outcome)
    if outcome == _Outcome.CONTRADICTS:
        log.warning("callback_contradicts", callback=callback.pk)
    return outcome


def _apply(callback: Callback) -> str:
    params = callback.params
    to = FROM_TWILIO.get(str(params.get("MessageStatus") or params.get("SmsStatus") or "").lower())
    sid = str(params.get("MessageSid") or params.get("SmsSid") or "")[:34]
    if to is None or not sid:
        return _Outcome.UNREADABLE
    if callback.message_id is None:
        return _Outcome.UNKNOWN_MESSAGE
    message = (
        Message.objects.filter(pk=callback.message_id, connection_id=callback.connection_id)
        .only("id", "provider_sid", "status", "error_code")
        .first()
    )
    if message is None:
        return _Outcome.UNKNOWN_MESSAGE
    if message.provider_sid not in ("", sid):
        return _Outcome.CONTRADICTS
    code = _code(params)
    moved = advance_one(
        Move(
            message_id=message.pk,
            to=to,
            source=MessageEvent.Source.CALLBACK,
            sid=sid,
            error_code=code,
            clear_error=to not in FAILURES,
            next_check_at=_next_check(to),
        )
    )
    if code in OPT_OUT_CODES:
        note_opt_out(message.pk)
    if moved:
        return _Outcome.APPLIED
    return _fill_in(message.pk, to=to, sid=sid, code=code)


def _fill_in(message_id: uuid.UUID, *, to: str, sid: str, code: int | None) -> str:
    """Take over what an earlier callback of the same state did not say: the code of a failure, or the SID."""
    same_state = Message.objects.filter(pk=message_id, status=to)
    learned = 0
    if code is not None:
        learned += same_state.filter(error_code=None, status__in=FAILURES).update(error_code=code)
    learned += Message.objects.filter(pk=message_id, provider_sid="").exclude(status="queued").update(provider_sid=sid)
    return _Outcome.APPLIED if learned else _Outcome.NOTHING_NEW


def _next_check(to: str) -> datetime | None:
    return timezone.now() + timedelta(seconds=settings.POLL_AFTER) if to in AT_TWILIO else None


def _code(params: dict[str, Any]) -> int | None:
    raw = str(params.get("ErrorCode") or "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 9 else None
