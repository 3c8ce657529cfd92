"""Write what became of posted messages: in bulk, under the claim they were posted with."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from integrations.clock import database_now
from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from integrations.platform_sms.models import PLATFORM_SENDER
from integrations.twilio.errors import TOO_MANY_REQUESTS_CODE, TwilioError, TwilioNotBegun, TwilioRefused
from integrations.twilio.results import MessageSnapshot

from . import pace
from .claim import Claimed, give_back
from .models import Message, MessageEvent
from .refusals import note_opt_out
from .statuses import AT_TWILIO, FROM_TWILIO, Status
from .transitions import Move, advance
from .verdict import OPT_OUT_CODES, Decision, Verdict, judge

log = structlog.get_logger(__name__)
ENGINE = MessageEvent.Source.ENGINE


@dataclass(frozen=True)
class Outcome:
    """A posted message and Twilio's answer; None where not even an error could be understood.

    `connection` is as it was when the message was posted: a refusal says nothing of credentials that came later.
    """

    claimed: Claimed
    connection: Connection
    answer: MessageSnapshot | TwilioError | None
    begun_at: float = 0.0  # time.monotonic()
    claimed_with: int = 1  # how many messages the same claim took


def is_too_many_requests(answer: object) -> bool:
    """Tell whether Twilio refused because too many requests were under way at once."""
    return isinstance(answer, TwilioRefused) and (
        answer.code == TOO_MANY_REQUESTS_CODE
        or (answer.code is None and answer.http_status == HTTPStatus.TOO_MANY_REQUESTS)
    )


def settle(outcomes: list[Outcome]) -> None:
    """Move every message to what its answer says. Outcomes of claims that were lost meanwhile change nothing."""
    not_begun = [outcome.claimed for outcome in outcomes if isinstance(outcome.answer, TwilioNotBegun)]
    if not_begun:
        log.warning("not_begun_in_time", count=len(give_back(not_begun)))
        outcomes = [outcome for outcome in outcomes if not isinstance(outcome.answer, TwilioNotBegun)]
    moves = [_move_for(outcome) for outcome in outcomes]
    try:
        with transaction.atomic():
            advance(moves)
    except (IntegrityError, DataError):
        # A SID that another message already has, or a value that no column holds: find the one, keep the rest.
        for move in moves:
            _advance_alone(move)
    for outcome in outcomes:
        if isinstance(outcome.answer, TwilioError):
            _draw_consequences(outcome, outcome.answer)


def accepted_move(
    message_id: uuid.UUID,
    snapshot: MessageSnapshot,
    *,
    source: str,
    claim_token: uuid.UUID | None = None,
    note: str = "",
) -> Move:
    """Return the move to the state a Twilio message is in, with its SID and when to ask for it next."""
    to = FROM_TWILIO.get(snapshot.status, Status.ACCEPTED)
    return Move(
        message_id=message_id,
        to=to,
        source=source,
        sid=snapshot.sid or "",
        error_code=snapshot.error_code,
        clear_error=True,
        claim_token=claim_token,
        next_check_at=database_now() + timedelta(seconds=settings.POLL_AFTER) if to in AT_TWILIO else None,
        segments=snapshot.num_segments or None,
        price=str(abs(snapshot.price)) if snapshot.price is not None else None,
        price_unit=snapshot.price_unit or "" if snapshot.price is not None else "",
        note=note,
    )


def _move_for(outcome: Outcome) -> Move:
    claimed, answer = outcome.claimed, outcome.answer
    if isinstance(answer, MessageSnapshot):
        move = accepted_move(claimed.id, answer, source=ENGINE, claim_token=claimed.token)
        # A webhook has said all that it will ever say.
        return replace(move, next_check_at=None) if outcome.connection.is_webhook else move
    first_probe = database_now() + timedelta(seconds=settings.RECONCILE_AFTER)
    if answer is None:
        return Move(
            message_id=claimed.id,
            to=Status.UNKNOWN,
            source=ENGINE,
            reason="outcome_unknown",
            clear_error=True,
            claim_token=claimed.token,
            next_check_at=first_probe,
        )
    verdict = _verdict(outcome, answer)
    if verdict.breaks_connection and claimed.sender == PLATFORM_SENDER:
        # What is wrong with the operator's account is told to the operator.
        verdict = replace(verdict, code=None, reason="platform_unavailable")
    to = {Decision.AGAIN: Status.QUEUED, Decision.FAIL: Status.FAILED, Decision.UNKNOWN: Status.UNKNOWN}[
        verdict.decision
    ]
    return Move(
        message_id=claimed.id,
        to=to,
        source=ENGINE,
        error_code=verdict.code,
        reason=verdict.reason,
        note=verdict.note or verdict.reason,
        clear_error=True,
        claim_token=claimed.token,
        due_at=database_now() + timedelta(seconds=verdict.delay) if to == Status.QUEUED else None,
        next_check_at=first_probe if to == Status.UNKNOWN else None,
    )


def _advance_alone(move: Move) -> None:
    try:
        with transaction.atomic():
            advance([move])
    except IntegrityError:
        log.error("sid_belongs_to_another_message", message_id=str(move.message_id), sid=move.sid)
        Message.objects.filter(pk=move.message_id).update(needs_person=True)
    except DataError as error:
        # Its lease runs out, and Twilio's list settles it. The driver's text repeats values: only its kind is logged.
        log.error("outcome_cannot_be_written", message_id=str(move.message_id), error=type(error).__name__)


def _verdict(outcome: Outcome, error: TwilioError) -> Verdict:
    is_usual_sender = outcome.claimed.sender in {outcome.connection.sends_as, PLATFORM_SENDER}
    return judge(error, attempts=outcome.claimed.attempts, is_usual_sender=is_usual_sender)


def _draw_consequences(outcome: Outcome, error: TwilioError) -> None:
    verdict = _verdict(outcome, error)
    if verdict.breaks_connection and verdict.code is not None:
        mark_broken(outcome.connection, code=verdict.code)
    if error.code in OPT_OUT_CODES:
        note_opt_out(outcome.claimed.id, code=error.code)
    pace.slow_down(outcome.connection.pk, outcome.claimed.sender, error.code)
