"""Apply stored status callbacks, many at a time: forward only, once, and never against what we know better.

One transaction takes the oldest that wait, locks their messages, moves them and writes down what came of each callback:
a worker that is killed in between has done nothing, and the next one does it all.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from integrations.clock import database_now
from messaging.sending import pace
from messaging.sending.models import MessageEvent
from messaging.sending.refusals import note_opt_out
from messaging.sending.statuses import AT_TWILIO, FAILURES, FOLLOWERS, FROM_TWILIO, IN_FLIGHT, Status
from messaging.sending.transitions import Move, advance
from messaging.sending.verdict import OPT_OUT_CODES

from .models import Callback

log = structlog.get_logger(__name__)

BATCH = 500
_TRIES = 5
_Outcome = Callback.Outcome

# A callback that could not be applied comes again after 10, 40, 90 and 160 seconds; it must not use up its tries
# while whatever is wrong lasts, nor keep its place at the front of the queue.
_TAKE = """
SELECT id, connection_id, message_id, params FROM messaging_callback
WHERE outcome = '' AND kind = 'status' AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
    AND (attempts = 0 OR received_at < now() - attempts * attempts * interval '10 seconds')
ORDER BY id LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
"""

# In the order of their ids, as every bulk change locks them: two of these cannot wait for each other in a circle.
_LOCK = """
SELECT id, connection_id, provider_sid, status, error_code, phone FROM messaging_message
WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

# What an earlier callback of the same state did not say: the code of a failure, or the SID.
_FILL_IN = """
UPDATE messaging_message m SET
    error_code = COALESCE(m.error_code, v.error_code),
    provider_sid = CASE WHEN m.provider_sid = '' THEN v.sid ELSE m.provider_sid END
FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS v(id, error_code, sid) WHERE m.id = v.id
"""

_WRITE_DOWN = """
UPDATE messaging_callback c SET outcome = v.outcome
FROM unnest(%s::bigint[], %s::text[]) AS v(id, outcome) WHERE c.id = v.id
"""


@dataclass(frozen=True)
class _Report:
    """A stored callback, read; `to` is None where it says nothing that we understand."""

    callback: int
    connection_id: uuid.UUID
    message_id: uuid.UUID | None
    to: Status | None
    sid: str
    code: int | None


@dataclass
class _Known:
    """A locked message as it is in the database, or will be when the transaction ends."""

    id: uuid.UUID
    connection_id: uuid.UUID | None
    sid: str
    status: str
    code: int | None
    phone: str


def apply_batch(*, limit: int = BATCH) -> int:
    """Apply the oldest callbacks that wait and return how many were looked at.

    Twilio promises no order and may repeat itself (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status),
    so each change is a conditional one that only moves forward. Our id in the address finds the message even before
    the API's answer with the SID was stored. Several workers may do this at once.
    """
    taken: list[int] = []
    try:
        with transaction.atomic():
            return _apply(None, limit=limit, taken=taken)
    except (OperationalError, InterfaceError):
        raise  # the database is away or the locks are: nothing is wrong with any of the callbacks
    except DatabaseError:
        _apply_apart(taken)
    return len(taken)


def _apply_apart(ids: Sequence[int]) -> None:
    """Find the callback that spoils a batch by halving it, so that the others are applied all the same."""
    if len(ids) == 1:
        _apply_alone(ids[0])
        return
    for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
        try:
            with transaction.atomic():
                _apply(half, limit=len(half), taken=[])
        except (OperationalError, InterfaceError):
            raise
        except DatabaseError:
            _apply_apart(half)


def _apply_alone(callback: int) -> None:
    mine = Callback.objects.filter(pk=callback, outcome=_Outcome.PENDING)
    try:
        with transaction.atomic():
            _apply([callback], limit=1, taken=[])
    except IntegrityError:
        # Its SID is another message's.
        mine.update(outcome=_Outcome.CONTRADICTS)
        log.warning("callback_contradicts", callback=callback)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as error:
        attempts = (mine.values_list("attempts", flat=True).first() or 0) + 1
        mine.update(attempts=attempts, outcome=_Outcome.PENDING if attempts < _TRIES else _Outcome.UNREADABLE)
        # The driver's text repeats values: only its kind is logged.
        log.error("callback_cannot_be_applied", callback=callback, attempts=attempts, error=type(error).__name__)


def _apply(ids: Sequence[int] | None, *, limit: int, taken: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"ids": None if ids is None else list(ids), "limit": limit})
        reports = [_read(*row) for row in cursor.fetchall()]
        taken += [report.callback for report in reports]
        if not reports:
            return 0
        cursor.execute(_LOCK, [sorted({report.message_id for report in reports if report.message_id})])
        messages = {row[0]: _Known(*row) for row in cursor.fetchall()}
    outcomes = _settle(reports, messages)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_DOWN, [list(outcomes), list(outcomes.values())])
    for callback, outcome in outcomes.items():
        if outcome == _Outcome.CONTRADICTS:
            log.warning("callback_contradicts", callback=callback)
    too_fast = {
        (report.message_id, report.code)
        for report in reports
        if report.code in pace.SLOWING_CODES and outcomes[report.callback] == _Outcome.APPLIED and report.message_id
    }
    if too_fast:
        # After the commit: it locks what claims of those senders need.
        transaction.on_commit(lambda: pace.slow_down_for(too_fast), robust=True)
    return len(reports)


def _settle(reports: Iterable[_Report], messages: dict[uuid.UUID, _Known]) -> dict[int, str]:
    """Move the messages and return what came of each callback.

    The callbacks of one message are applied one after the other, as they came, each with its own event; those of
    different messages together. There are as many rounds as the most talkative message has callbacks that say
    something new.
    """
    outcomes: dict[int, str] = {}
    waiting: dict[uuid.UUID, list[_Report]] = {}
    said: dict[tuple[Any, ...], int] = {}
    echoes: dict[int, int] = {}
    for report in reports:
        message = messages.get(report.message_id) if report.message_id else None
        words = (report.message_id, report.to, report.sid, report.code)
        if report.to is None or not report.sid:
            outcomes[report.callback] = _Outcome.UNREADABLE
        elif message is None or message.connection_id != report.connection_id:
            outcomes[report.callback] = _Outcome.UNKNOWN_MESSAGE
        elif words in said:
            echoes[report.callback] = said[words]
        else:
            said[words] = report.callback
            waiting.setdefault(message.id, []).append(report)
    filled: set[uuid.UUID] = set()
    opted_out: dict[uuid.UUID, int] = {}
    while waiting:
        moving: dict[uuid.UUID, _Report] = {}
        for message_id in list(waiting):
            message, queue = messages[message_id], waiting[message_id]
            while queue and message_id not in moving:
                report = queue.pop(0)
                if message.sid not in ("", report.sid):
                    outcomes[report.callback] = _Outcome.CONTRADICTS
                    continue
                if report.code is not None and report.code in OPT_OUT_CODES and message.code != report.code:
                    opted_out[message_id] = report.code  # one that carries the code already has had its consequences
                if report.to in FOLLOWERS.get(message.status, ()):
                    moving[message_id] = report
                else:
                    is_news = _learn(message, report)
                    outcomes[report.callback] = _Outcome.APPLIED if is_news else _Outcome.NOTHING_NEW
                    filled |= {message_id} if is_news else set()
            if not queue:
                del waiting[message_id]
        moved = advance(_move(report) for report in moving.values())
        for message_id, report in moving.items():
            outcomes[report.callback] = _Outcome.APPLIED if message_id in moved else _Outcome.NOTHING_NEW
            if message_id in moved:
                _follow(messages[message_id], report)
    _fill_in([messages[message_id] for message_id in sorted(filled)])
    # In the order of the numbers: each stays locked until the end (see opt_out).
    for message_id in sorted(opted_out, key=lambda opted: messages[opted].phone):
        note_opt_out(message_id, code=opted_out[message_id])
    for callback, first in echoes.items():
        is_wrong = outcomes[first] == _Outcome.CONTRADICTS
        outcomes[callback] = _Outcome.CONTRADICTS if is_wrong else _Outcome.NOTHING_NEW
    return outcomes


def _move(report: _Report) -> Move:
    assert report.message_id is not None  # noqa: S101 - only those of messages are moved
    assert report.to is not None  # noqa: S101 - and only those that say where to
    return Move(
        message_id=report.message_id,
        to=report.to,
        source=MessageEvent.Source.CALLBACK,
        sid=report.sid,
        error_code=report.code,
        clear_error=report.to not in FAILURES,
        next_check_at=_next_check(report.to),
    )


def _follow(message: _Known, report: _Report) -> None:
    """Note what the move has made of the message, as the statement of `transitions` has it."""
    is_forgotten = report.to not in FAILURES or message.status in IN_FLIGHT
    message.code = report.code if is_forgotten or report.code is not None else message.code
    message.status, message.sid = str(report.to), message.sid or report.sid


def _learn(message: _Known, report: _Report) -> bool:
    """Take over what an earlier callback of the same state left out; tell whether there was anything."""
    is_news = False
    if report.code is not None and message.code is None and message.status == report.to in FAILURES:
        message.code, is_news = report.code, True
    if not message.sid and message.status != Status.QUEUED:
        message.sid, is_news = report.sid, True
    return is_news


def _fill_in(messages: Sequence[_Known]) -> None:
    if messages:
        columns: list[Any] = [[m.id for m in messages], [m.code for m in messages], [m.sid for m in messages]]
        with connection.cursor() as cursor:
            cursor.execute(_FILL_IN, columns)


def _read(callback: int, connection_id: uuid.UUID, message_id: uuid.UUID | None, raw: str | dict[str, Any]) -> _Report:
    params = json.loads(raw) if isinstance(raw, str) else raw  # Django leaves jsonb of its own statements as text
    if not isinstance(params, dict):
        return _Report(callback, connection_id, message_id, None, "", None)
    return _Report(
        callback,
        connection_id,
        message_id,
        to=FROM_TWILIO.get(str(params.get("MessageStatus") or params.get("SmsStatus") or "").lower()),
        sid=str(params.get("MessageSid") or params.get("SmsSid") or "")[:34],
        code=_code(params),
    )


def _next_check(to: str) -> datetime | None:
    return database_now() + timedelta(seconds=settings.POLL_AFTER) if to in AT_TWILIO else None


def _code(params: dict[str, Any]) -> int | None:
    raw = str(params.get("ErrorCode") or "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 9 else None
