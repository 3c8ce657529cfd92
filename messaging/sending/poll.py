"""Ask Twilio about messages whose callbacks stayed away, until they are final or three days old."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from integrations.clock import database_now
from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from integrations.twilio.async_client import async_gateway_for
from integrations.twilio.client import Credentials
from integrations.twilio.errors import TwilioError
from integrations.twilio.results import MessageSnapshot

from . import pace
from .dispatch import load_dispatch
from .engine import engine
from .models import Message, MessageEvent
from .outcomes import accepted_move
from .refusals import note_opt_out
from .statuses import AT_TWILIO, FINAL
from .transitions import advance_one
from .verdict import OPT_OUT_CODES, judge

log = structlog.get_logger(__name__)

GIVEN_UP_AFTER = timedelta(days=3)
_BATCH = 200
_HELD_FOR = timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(hours=6)


def poll_due() -> int:
    """Ask about the messages whose time has come; return how many were asked about."""
    messages = _hold_due()
    by_connection: dict[uuid.UUID, list[Message]] = {}
    for message in messages:
        if message.connection_id is not None:
            by_connection.setdefault(message.connection_id, []).append(message)
    for connection_id, group in by_connection.items():
        dispatch = load_dispatch(connection_id)
        if dispatch is None:
            continue
        answers = engine().run_on_loop(
            _fetch_all(dispatch.credentials, [message.provider_sid for message in group]), timeout=120
        )
        for message, answer in zip(group, answers, strict=True):
            _apply(message, answer, dispatch.connection)
    return len(messages)


def _hold_due() -> list[Message]:
    now = database_now()
    with transaction.atomic():
        due = list(
            Message.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status__in=AT_TWILIO, next_check_at__lte=now)
            .exclude(provider_sid="")
            .exclude(connection__mode__in=[Connection.Mode.TEST, Connection.Mode.WEBHOOK])
            .order_by("next_check_at")[:_BATCH]
        )
        Message.objects.filter(pk__in=[message.pk for message in due]).update(
            next_check_at=now + _HELD_FOR, probes=F("probes") + 1
        )
    return due


async def _fetch_all(credentials: Credentials, sids: Sequence[str]) -> list[MessageSnapshot | TwilioError]:
    gateway = async_gateway_for(credentials)
    places = asyncio.Semaphore(10)

    async def fetch(sid: str) -> MessageSnapshot | TwilioError:
        async with places:
            try:
                return await gateway.fetch_message(sid)
            except TwilioError as error:
                return error

    return list(await asyncio.gather(*(fetch(sid) for sid in sids)))


def _apply(message: Message, answer: MessageSnapshot | TwilioError, connection: Connection) -> None:
    if isinstance(answer, TwilioError):
        verdict = judge(answer, attempts=1)
        if verdict.breaks_connection and verdict.code is not None:
            mark_broken(connection, code=verdict.code)
        log.info("poll_refused", code=answer.code, http_status=answer.http_status)
        _ask_again_later(message)
        return
    move = accepted_move(message.pk, answer, source=MessageEvent.Source.POLL)
    if not advance_one(move) or move.to not in FINAL:
        _ask_again_later(message)
    if move.error_code in OPT_OUT_CODES:
        note_opt_out(message.pk, code=move.error_code)
    pace.slow_down(connection.pk, message.sender, move.error_code)


def _ask_again_later(message: Message) -> None:
    pause = min(_LONGEST_PAUSE, timedelta(seconds=settings.POLL_AFTER * 2 ** min(message.probes, 12)))
    at = database_now() + pause
    handed_over = message.handed_over_at or message.created_at
    Message.objects.filter(pk=message.pk, status__in=AT_TWILIO).update(
        next_check_at=at if at < handed_over + GIVEN_UP_AFTER else None
    )
