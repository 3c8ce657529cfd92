"""Carries runs on: each and every step is a row, and what a step does is kept together with the run's progress.

A claim is one short statement per organization (`FOR UPDATE SKIP LOCKED`, a lease and a token). Nodes that only touch
the database work in the transaction that also moves the run, many runs in one transaction, each step behind a savepoint
of its own: killed at any line, all of it happened or nothing. Nodes that talk to somebody outside have a lane of their
own, so that slow strangers hold nobody up; their step is written down before and after, and its id lets the other side
recognise a second call.
"""

import threading
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.db import Error, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from integrations.clock import database_now

from .attempts import OURS, StepFailed, attempt
from .base import NodeFailed
from .claiming import claim
from .models import Run, RunStep
from .turns import MOST_ATTEMPTS, Turn, goes_on
from .wake import call_outside, call_quick

log = structlog.get_logger(__name__)

BATCH = 100
_stopping = threading.Event()


def work(*, seconds: float = 20.0) -> int:
    """Carry on what is due and needs nobody outside, for so long; return how many turns were taken."""
    return _work(Run.Lane.QUICK, most=BATCH, seconds=seconds)


def act(*, seconds: float = 20.0) -> int:
    """Do what waits for somebody outside, one run after the other; return how many."""
    return _work(Run.Lane.OUTSIDE, most=1, seconds=seconds)


def begin_stop() -> None:
    """Claim nothing more: the process is about to end."""
    _stopping.set()


def _work(lane: int, *, most: int, seconds: float) -> int:
    until, turns = time.monotonic() + seconds, 0
    while time.monotonic() < until and not _stopping.is_set():
        token, claimed = claim(lane, most=most)
        if not claimed:
            break
        turns += len(claimed)
        if len(claimed) == most:
            # There is more: another process may help.
            (call_quick if lane == Run.Lane.QUICK else call_outside)()
        _take_turn(lane, token, claimed)
    return turns


def _take_turn(lane: int, token: uuid.UUID, ids: list[uuid.UUID]) -> None:
    """Carry runs on; where one breaks what all of them would keep, each has a turn of its own, and that one fails."""
    try:
        if lane == Run.Lane.QUICK:
            carry_on(token, ids)
        else:
            _act(token, ids[0])
    except (OperationalError, InterfaceError) as error:
        # A restarted database, a deadlock: nothing of the turn was kept.
        log.warning("runs_interrupted", count=len(ids), error=type(error).__name__)
        _give_back(token)
    except Exception as error:
        # Whatever else it is stands in a row or in a node's class, and would keep breaking the turn of all others.
        if len(ids) > 1:
            log.warning("runs_taken_apart", count=len(ids), error=type(error).__name__)
            for one in ids:
                _take_turn(lane, token, [one])
            return
        log.exception("run_broken", run=str(ids[0]))
        _break(token, ids[0])


def _break(token: uuid.UUID, run_id: uuid.UUID) -> None:
    """Let a run fail that cannot even be read, so that it is not taken up for ever."""
    with transaction.atomic():
        broken = Run.objects.filter(pk=run_id, claim_token=token).update(
            status=Run.Status.FAILED, reason="internal", detail=OURS, ended_at=database_now(), wake_key="",
            claim_token=None, lease_until=None,
        )  # fmt: skip
        if broken:
            RunStep.objects.filter(run=run_id, ended_at=None).update(
                status=RunStep.Status.FAILED, reason="internal", detail=OURS, ended_at=database_now()
            )


def carry_on(token: uuid.UUID, ids: Iterable[uuid.UUID]) -> None:
    """Carry claimed runs on in one transaction.

    At first without a savepoint for each step, which would be a third of all statements. Where a step fails that may
    have written something, everything is taken back and done again with them.
    """
    try:
        _carry_on(token, ids, is_careful=False)
    except StepFailed:
        _carry_on(token, ids, is_careful=True)


def _carry_on(token: uuid.UUID, ids: Iterable[uuid.UUID], *, is_careful: bool) -> None:
    with transaction.atomic():
        runs = list(_mine(token, ids))
        rows = RunStep.objects.filter(run__in=runs, ended_at=None)
        turn = Turn({row.run_id: row for row in rows}, is_careful=is_careful)
        for run in runs:
            turn.carry_on(run)
        turn.save(runs)


def _act(token: uuid.UUID, run_id: uuid.UUID) -> None:
    """Do one step with somebody outside; what came of it counts only while the claim is still ours."""
    with transaction.atomic():
        run = _mine(token, [run_id]).first()
        if run is None:
            return
        turn = Turn({row.run_id: row for row in RunStep.objects.filter(run=run, ended_at=None)})
        spec, node = turn.next_of(run)
        if spec is None or node is None or not node.is_outside or not goes_on(run):
            turn.carry_on(run)
            turn.save([run])
            return
        row = turn.row_of(run, spec)
        if row.attempts > MOST_ATTEMPTS:
            turn.apply(run, spec, row, turn.step_of(run, spec, row), NodeFailed("internal", OURS))
            turn.release(run)
            turn.save([run])
            return
        row.status, row.attempts = RunStep.Status.ACTING, row.attempts + 1
        RunStep.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["run", "ordinal"], update_fields=["status", "attempts"]
        )
    step = turn.step_of(run, spec, row)
    result = attempt(node, step)
    with transaction.atomic():
        run = _mine(token, [run_id]).first()
        if run is None:
            return  # the lease ran out, and somebody else does it again, under the same step id
        if run.lane == Run.Lane.OUTSIDE:
            run.lane = Run.Lane.QUICK
        turn.now = database_now()  # what somebody outside did took its time
        turn.apply(run, spec, row, step, result)
        turn.release(run)
        turn.save([run])


def _mine(token: uuid.UUID, ids: Iterable[uuid.UUID]) -> QuerySet[Run]:
    """Return those of the runs whose claim is still ours, locked: nobody else takes them up before the commit."""
    locked = Run.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(ids), claim_token=token)
    return locked.select_related("automation", "version", "organization", "contact").order_by("pk")


def _give_back(token: uuid.UUID) -> None:
    try:
        Run.objects.filter(claim_token=token).update(
            status=Run.Status.WAITING, claim_token=None, lease_until=None, due_at=database_now() + timedelta(seconds=2)
        )
    except Error as error:
        log.warning("runs_wait_for_their_lease", error=type(error).__name__)
