"""Settle messages whose outcome is unknown: by Twilio's own list, never by guessing.

Nothing is sent again before Twilio's list has stayed empty until the horizon; whatever stands there for the number
in that time and is not known to be another message of ours forbids it.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from integrations.clock import database_now
from integrations.platform_sms.providers import provider_of
from integrations.twilio.async_client import async_gateway_for
from integrations.twilio.client import Credentials
from integrations.twilio.errors import TwilioError
from integrations.twilio.results import MessageSnapshot

from .dispatch import load_dispatch
from .engine import engine
from .models import Message, MessageEvent
from .outcomes import accepted_move
from .sealing import text_of
from .statuses import Status
from .texts import resembles
from .transitions import Move, advance_one
from .verdict import MAX_ATTEMPTS

log = structlog.get_logger(__name__)

_BATCH = 50
_LONGEST_LIST = 1000  # messages to one number; what may lie beyond them leaves the outcome undecided
_HELD_FOR = timedelta(seconds=60)  # while one worker asks Twilio, another does not
_CLOCKS_DIFFER_BY = timedelta(seconds=90)
_LONGEST_PAUSE = 60.0
_PAUSE_WHEN_FLAGGED = timedelta(minutes=10)


class Finding(StrEnum):
    """What Twilio's list says of a message."""

    FOUND = "found"
    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"


def reconcile_due() -> int:
    """Look up the unknown messages whose time has come; return how many were looked at."""
    messages = _hold_due()
    by_connection: dict[object, list[Message]] = {}
    for message in messages:
        by_connection.setdefault(message.connection_id, []).append(message)
    for connection_id, group in by_connection.items():
        dispatch = load_dispatch(connection_id) if connection_id else None  # type: ignore[arg-type]
        if dispatch is None:
            for message in group:
                _wait(message)
            continue
        if provider_of(dispatch.connection).repeats_safely:
            for message in group:
                _repeat(message)
            continue
        listed = engine().run_on_loop(
            _list_all(dispatch.credentials, [message.phone for message in group]), timeout=120
        )
        for message in group:
            answer = listed[message.phone]
            if answer is None:
                _wait(message)
            else:
                _settle(message, answer, account_sid=dispatch.connection.account_sid)
    return len(messages)


def weigh(
    message: Message, *, listed: Sequence[MessageSnapshot], known_sids: set[str], siblings: Sequence[Message]
) -> tuple[Finding, MessageSnapshot | None]:
    """Say whether Twilio has the message: found (with its snapshot), absent, or not to be told.

    `siblings` are our other messages to that number whose SID is not known either: a text that could be theirs as well
    settles nothing.
    """
    since = (message.posted_at or message.created_at) - _CLOCKS_DIFFER_BY
    oldest = listed[-1].date_created if len(listed) >= _LONGEST_LIST else None
    is_cut = oldest is not None and oldest >= since
    candidates = [
        one
        for one in listed
        if one.sid not in known_sids
        and not (one.direction or "").startswith("inbound")
        and (one.date_created is None or one.date_created >= since)
    ]
    if not candidates:
        return Finding.AMBIGUOUS if is_cut else Finding.ABSENT, None
    text = text_of(message)
    alike = [one for one in candidates if resembles(text, one.body or "")]
    rivals = [other for other in siblings if resembles(text_of(other), text)]
    if len(alike) == 1 and not rivals:
        return Finding.FOUND, alike[0]
    return Finding.AMBIGUOUS, None


def _hold_due() -> list[Message]:
    with transaction.atomic():
        due = list(
            Message.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status=Status.UNKNOWN, next_check_at__lte=database_now())
            .order_by("next_check_at")[:_BATCH]
        )
        Message.objects.filter(pk__in=[message.pk for message in due]).update(
            next_check_at=database_now() + _HELD_FOR, probes=F("probes") + 1
        )
    return due


async def _list_all(credentials: Credentials, phones: Sequence[str]) -> dict[str, list[MessageSnapshot] | None]:
    gateway = async_gateway_for(credentials)
    places = asyncio.Semaphore(10)

    async def list_one(phone: str) -> list[MessageSnapshot] | None:
        async with places:
            try:
                # No date filter: Twilio filters by the date sent, which a message not yet sent does not have.
                return await gateway.list_messages(to=phone, limit=_LONGEST_LIST)
            except TwilioError as error:
                log.info("reconcile_cannot_ask", code=error.code, http_status=error.http_status)
                return None

    distinct = list(dict.fromkeys(phones))
    return dict(zip(distinct, await asyncio.gather(*(list_one(phone) for phone in distinct)), strict=True))


def _settle(message: Message, listed: list[MessageSnapshot], *, account_sid: str) -> None:
    # In this order: one that learns its SID in between is then in both, and not in neither.
    siblings = [
        other
        # One after the other: each has a small index of its own, and the table has none over numbers alone.
        for status in (Status.SENDING, Status.UNKNOWN)
        # Of every organization: several may send over one account.
        for other in Message.objects.filter(
            status=status, phone=message.phone, provider_sid="", connection__account_sid=account_sid
        ).exclude(pk=message.pk)
    ]
    known = set(
        Message.objects.filter(provider_sid__in=[one.sid for one in listed]).values_list("provider_sid", flat=True)
    )
    finding, snapshot = weigh(message, listed=listed, known_sids=known, siblings=siblings)
    if finding is Finding.FOUND and snapshot is not None:
        advance_one(accepted_move(message.pk, snapshot, source=MessageEvent.Source.POLL, note="found in Twilio's log"))
        return
    if not _is_horizon_reached(message):
        _wait(message)
    elif finding is Finding.AMBIGUOUS:
        if any(_may_settle(other) for other in siblings):
            # What stands there may be theirs, and soon known to be: no question for a person yet.
            _wait(message)
        else:
            _flag(message)
    elif message.attempts >= MAX_ATTEMPTS:
        advance_one(_back(message, to=Status.FAILED, reason="gave_up"))
    else:
        advance_one(_back(message, to=Status.QUEUED, reason=""))


def _repeat(message: Message) -> None:
    """Queue what may be handed over again under its id, whatever became of it before."""
    if message.attempts >= MAX_ATTEMPTS:
        advance_one(_back(message, to=Status.FAILED, reason="gave_up"))
    else:
        advance_one(_back(message, to=Status.QUEUED, reason="", note="handed over again under the same id"))


def _is_horizon_reached(message: Message) -> bool:
    since = message.unknown_since or message.updated_at
    return database_now() - since >= timedelta(seconds=settings.RECONCILE_HORIZON)


def _may_settle(other: Message) -> bool:
    """Tell whether the message's own time to settle is not over, so that its SID may yet become known."""
    return other.status == Status.SENDING or not _is_horizon_reached(other)


def _back(message: Message, *, to: Status, reason: str, note: str = "Twilio surely does not have it") -> Move:
    return Move(
        message_id=message.pk,
        to=to,
        source=MessageEvent.Source.POLL,
        reason=reason,
        note=note,
        clear_error=True,
        only_from=Status.UNKNOWN,
        claim_token=message.claim_token,  # not a later attempt that became unknown while we asked
        due_at=database_now() if to == Status.QUEUED else None,
    )


def _wait(message: Message) -> None:
    pause = min(_LONGEST_PAUSE, settings.RECONCILE_AFTER * 2 ** min(message.probes, 10))
    since = message.unknown_since or message.updated_at
    horizon = since + timedelta(seconds=settings.RECONCILE_HORIZON)
    at = database_now() + timedelta(seconds=pause)
    if database_now() < horizon < at:
        at = horizon
    Message.objects.filter(pk=message.pk, status=Status.UNKNOWN).update(next_check_at=at)


def _flag(message: Message) -> None:
    Message.objects.filter(pk=message.pk, status=Status.UNKNOWN).update(
        needs_person=True, next_check_at=database_now() + _PAUSE_WHEN_FLAGGED
    )
