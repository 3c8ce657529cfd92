"""Carries runs on: each and every step is a row, and what a step does is kept together with the run's progress.

A claim is one short statement per organization (`FOR UPDATE SKIP LOCKED`, a lease and a token). Nodes that only touch
the database work in the transaction that also moves the run, many runs in one transaction, each step behind a savepoint
of its own: killed at any line, all of it happened or nothing. Nodes that talk to somebody outside have a lane of their
own, so that slow strangers hold nobody up; their step is written down before and after, and its id lets the other side
recognise a second call.
"""

import json
import random
import re
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import Model

from integrations.clock import database_now
from integrations.identifiers import new_id
from messaging.happenings.telling import caused_by
from messaging.templates.rendering import MissingVariables, TemplateProblem

from .base import Again, Done, End, Node, NodeFailed, Outcome, Step, TryLater, Wait
from .flow import Flow, NodeSpec, read
from .models import Automation, Run, RunStep
from .moves import ARCHIVED, hold
from .registry import node_of
from .scopes import values_of
from .wake import call_outside, call_quick

log = structlog.get_logger(__name__)

Result = Outcome | NodeFailed | TryLater

BATCH = 100
LEASE = timedelta(seconds=60)
STEPS_A_TURN = 25
MOST_ATTEMPTS = 6
_FIRST_PAUSE = 10.0  # seconds; four times as long each time: the sixth attempt is over an hour after the first
_OURS = (
    "Something failed on our side. Try the step again; if it fails again, ask whoever runs this installation to look "
    "into the worker’s log."
)

# A loose scan of the partial index: one step per organization, however many runs are due.
_OWNERS = """
WITH RECURSIVE owners AS (
    (SELECT organization_id FROM messaging_run WHERE status = 'waiting' AND lane = %(lane)s
        ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.organization_id FROM messaging_run r WHERE r.status = 'waiting' AND r.lane = %(lane)s
        AND r.organization_id > owners.organization_id ORDER BY r.organization_id LIMIT 1)
    FROM owners WHERE owners.organization_id IS NOT NULL
)
SELECT o.id FROM owners JOIN integrations_organization o ON o.id = owners.organization_id AND o.status = 'active'
WHERE EXISTS (SELECT 1 FROM messaging_run r WHERE r.status = 'waiting' AND r.lane = %(lane)s
    AND r.organization_id = o.id AND r.due_at <= statement_timestamp())
"""
# MATERIALIZED, because within IN (…) PostgreSQL may ask the question again for each row and claim more than the limit.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM messaging_run WHERE status = 'waiting' AND lane = %(lane)s AND organization_id = %(owner)s
        AND due_at <= statement_timestamp()
    ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE messaging_run r
SET status = 'running', claim_token = %(token)s, lease_until = statement_timestamp() + %(lease)s
FROM due WHERE r.id = due.id
RETURNING r.id
"""
# By one statement of our own: what the ORM builds for it costs as much as all steps together.
_SAVE = """
UPDATE messaging_run r SET status = w.status, lane = w.lane, position = w.position, steps_done = w.steps_done,
    wake_key = w.wake_key, due_at = w.due_at, data = w.data, claim_token = w.claim_token, lease_until = w.lease_until,
    reason = w.reason, detail = w.detail, started_at = w.started_at, ended_at = w.ended_at
FROM jsonb_to_recordset(%s::jsonb) AS w(id uuid, status text, lane int, position text, steps_done int, wake_key text,
    due_at timestamptz, data jsonb, claim_token uuid, lease_until timestamptz, reason text, detail text,
    started_at timestamptz, ended_at timestamptz)
WHERE r.id = w.id
"""
_FIELDS = (
    "id", "status", "lane", "position", "steps_done", "wake_key", "due_at", "data", "claim_token", "lease_until",
    "reason", "detail", "started_at", "ended_at",
)  # fmt: skip
_STEP_FIELDS = (
    "status", "attempts", "input", "output", "memory", "branch", "reason", "detail", "started_at", "ended_at",
)  # fmt: skip
# As JSON has them: what PostgreSQL stores in no text.
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")
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


def owners_with_due(lane: int) -> list[uuid.UUID]:
    """Return the organizations that have runs to carry on."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, {"lane": lane})
        return [row[0] for row in cursor.fetchall()]


def claim(lane: int, *, most: int) -> tuple[uuid.UUID, list[uuid.UUID]]:
    """Claim due runs, organizations in turn; return the claim's token and the ids."""
    token, claimed = uuid.uuid4(), list[uuid.UUID]()
    with connection.cursor() as cursor:
        owners = owners_with_due(lane)
        random.shuffle(owners)
        for index, owner in enumerate(owners):
            share = max(1, (most - len(claimed)) // (len(owners) - index))
            values: dict[str, Any] = {"token": token, "lease": LEASE, "lane": lane, "owner": owner, "most": share}
            cursor.execute(_CLAIM, values)
            claimed += [row[0] for row in cursor.fetchall()]
            if len(claimed) >= most:
                break
    return token, claimed


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
            status=Run.Status.FAILED, reason="internal", detail=_OURS, ended_at=database_now(), wake_key="",
            claim_token=None, lease_until=None,
        )  # fmt: skip
        if broken:
            RunStep.objects.filter(run=run_id, ended_at=None).update(
                status=RunStep.Status.FAILED, reason="internal", detail=_OURS, ended_at=database_now()
            )


def carry_on(token: uuid.UUID, ids: Iterable[uuid.UUID]) -> None:
    """Carry claimed runs on in one transaction.

    At first without a savepoint for each step, which would be a third of all statements. Where a step fails that may
    have written something, everything is taken back and done again with them.
    """
    try:
        _carry_on(token, ids, is_careful=False)
    except _StepFailed:
        _carry_on(token, ids, is_careful=True)


def _carry_on(token: uuid.UUID, ids: Iterable[uuid.UUID], *, is_careful: bool) -> None:
    with transaction.atomic():
        runs = list(
            Run.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk__in=list(ids), claim_token=token)
            .select_related("automation", "version", "organization", "contact")
            .order_by("pk")
        )
        rows = RunStep.objects.filter(run__in=runs, ended_at=None)
        turn = _Turn({row.run_id: row for row in rows}, is_careful=is_careful)
        for run in runs:
            turn.carry_on(run)
        turn.save(runs)


def _act(token: uuid.UUID, run_id: uuid.UUID) -> None:
    """Do one step with somebody outside; what came of it counts only while the claim is still ours."""
    with transaction.atomic():
        run = _mine(token, run_id)
        if run is None:
            return
        turn = _Turn({row.run_id: row for row in RunStep.objects.filter(run=run, ended_at=None)})
        spec, node = turn.next_of(run)
        if spec is None or node is None or not node.is_outside or not goes_on(run):
            turn.carry_on(run)
            turn.save([run])
            return
        row = turn.row_of(run, spec)
        if row.attempts > MOST_ATTEMPTS:
            turn.apply(run, spec, row, turn.step_of(run, spec, row), NodeFailed("internal", _OURS))
            turn.release(run)
            turn.save([run])
            return
        row.status, row.attempts = RunStep.Status.ACTING, row.attempts + 1
        RunStep.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["run", "ordinal"], update_fields=["status", "attempts"]
        )
    step = turn.step_of(run, spec, row)
    result = _attempt(node, step)
    with transaction.atomic():
        run = _mine(token, run_id)
        if run is None:
            return  # the lease ran out, and somebody else does it again, under the same step id
        if run.lane == Run.Lane.OUTSIDE:
            run.lane = Run.Lane.QUICK
        turn.apply(run, spec, row, step, result)
        turn.release(run)
        turn.save([run])


def _mine(token: uuid.UUID, run_id: uuid.UUID) -> Run | None:
    locked = Run.objects.select_for_update(of=("self",), no_key=True).filter(pk=run_id, claim_token=token)
    return locked.select_related("automation", "version", "organization", "contact").first()


def _give_back(token: uuid.UUID) -> None:
    try:
        Run.objects.filter(claim_token=token).update(
            status=Run.Status.WAITING, claim_token=None, lease_until=None, due_at=database_now() + timedelta(seconds=2)
        )
    except Error as error:
        log.warning("runs_wait_for_their_lease", error=type(error).__name__)


def goes_on(run: Run) -> bool:
    """Tell whether a run may be carried on: its automation is neither paused nor archived, or it is a test."""
    return run.is_test or run.automation.status == Automation.Status.LIVE


class _Turn:
    """Runs that are carried on together, and the rows of their steps."""

    def __init__(self, rows: dict[uuid.UUID, RunStep], *, is_careful: bool = True) -> None:
        self._open = rows
        self._changed: dict[uuid.UUID, RunStep] = {}
        self._flows: dict[uuid.UUID, Flow] = {}
        self._held: list[uuid.UUID] = []
        self._is_careful = is_careful
        self._shared: dict[Any, Any] = {}
        self._rows: dict[type[Model], list[Model]] = defaultdict(list)
        self.now = database_now()

    def next_of(self, run: Run) -> tuple[NodeSpec | None, Node | None]:
        """Return the node that a run comes to next."""
        spec = self._flow(run).find(run.position) if run.position else None
        return spec, node_of(spec.kind) if spec is not None else None

    def carry_on(self, run: Run) -> None:
        """Do the run's next steps, until it waits, has to go outside, or ends."""
        if not goes_on(run):
            if run.automation.status == Automation.Status.PAUSED:
                self._held.append(run.pk)
            else:
                self._stop(run)
            self.release(run)
            return
        run.started_at = run.started_at or self.now
        for _ in range(STEPS_A_TURN):
            if run.status != Run.Status.RUNNING:
                break
            self._do_next(run)
        else:
            run.due_at = self.now  # others have their turn between
        self.release(run)

    def release(self, run: Run) -> None:
        """Give the claim back; whoever did not end waits."""
        if run.status == Run.Status.RUNNING:
            run.status = Run.Status.WAITING
        run.claim_token = run.lease_until = None

    def save(self, runs: list[Run]) -> None:
        """Write the steps and the runs, in the transaction of what the steps did."""
        RunStep.objects.bulk_create(
            self._changed.values(),
            update_conflicts=True,
            unique_fields=["run", "ordinal"],
            update_fields=_STEP_FIELDS,
        )
        for model, made in self._rows.items():
            model._default_manager.bulk_create(made)
        rows = [{name: getattr(run, name) for name in _FIELDS} for run in runs]
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [json.dumps(rows, cls=_Exact)])
        if self._held:
            hold(self._held)
        lanes = {run.lane for run in runs if run.status == Run.Status.WAITING and run.due_at <= self.now}
        if Run.Lane.OUTSIDE in lanes:
            transaction.on_commit(call_outside)
        if Run.Lane.QUICK in lanes:
            transaction.on_commit(call_quick)

    def row_of(self, run: Run, spec: NodeSpec) -> RunStep:
        """Return the row of the run's present step, a new one where it comes to it first."""
        row = self._open.get(run.pk)
        if row is None:
            row = RunStep(
                id=new_id(), run=run, ordinal=run.steps_done + 1, node=spec.id, kind=spec.kind, started_at=self.now
            )
            self._open[run.pk] = row
        self._changed[row.pk] = row
        return row

    def step_of(self, run: Run, spec: NodeSpec, row: RunStep) -> Step:
        """Return what the node is given."""
        return Step(
            id=row.pk,
            run=run,
            spec=spec,
            organization=run.organization,
            contact=run.contact,
            values=values_of(run, contact=run.contact, organization=run.organization),
            memory=dict(row.memory),
            attempts=row.attempts,
            is_resumed=row.status != RunStep.Status.WAITING or bool(row.memory) or row.attempts > 1,
            now=self.now,
            shared=self._shared,
        )

    def apply(self, run: Run, spec: NodeSpec, row: RunStep, step: Step, result: Result) -> None:
        """Move the run by what came of its step."""
        row.memory, row.reason, row.detail = step.memory, "", ""
        row.input = step.shown or row.input
        if not isinstance(result, NodeFailed | TryLater):
            for made in step.rows:
                self._rows[type(made)].append(made)
        if isinstance(result, Done):
            self._finish(run, spec, row, result)
        elif isinstance(result, Wait):
            row.status, row.detail = RunStep.Status.WAITING, result.note[:500]
            run.due_at, run.wake_key = result.until, result.wake_key
            run.status = Run.Status.WAITING
            row.attempts = 0  # what was tried so far worked
        elif isinstance(result, Again):
            row.status, run.due_at, run.status = RunStep.Status.WAITING, self.now, Run.Status.WAITING
            row.attempts = 0
        elif isinstance(result, End):
            row.status, row.ended_at, row.detail = RunStep.Status.DONE, self.now, result.detail[:500]
            run.steps_done += 1
            self._end(run, Run.Status.DONE, detail=result.detail)
        elif isinstance(result, TryLater) and row.attempts < MOST_ATTEMPTS:
            pause = result.seconds if result.seconds is not None else _FIRST_PAUSE * 4 ** (row.attempts - 1)
            row.status, row.reason, row.detail = RunStep.Status.WAITING, result.code, result.detail[:500]
            run.due_at, run.status = self.now + timedelta(seconds=pause), Run.Status.WAITING
        else:
            detail = result.detail
            if isinstance(result, TryLater):
                detail = f"{detail} Tried {row.attempts} times."
            row.status, row.ended_at = RunStep.Status.FAILED, self.now
            row.reason, row.detail = result.code, detail[:500]
            self._end(run, Run.Status.FAILED, reason=result.code, detail=detail)

    def _do_next(self, run: Run) -> None:
        if not run.position:
            self._end(run, Run.Status.DONE)
            return
        spec, node = self.next_of(run)
        if spec is None or node is None:
            self._end(
                run,
                Run.Status.FAILED,
                reason="unknown_step",
                detail="This version of Heliograph does not know the step. Update it, and try the run again.",
            )
            return
        if node.is_outside and not run.is_test:
            run.lane, run.due_at, run.status = Run.Lane.OUTSIDE, self.now, Run.Status.WAITING
            return
        row = self.row_of(run, spec)
        row.attempts += 1
        step = self.step_of(run, spec, row)
        self.apply(run, spec, row, step, _attempt_here(node, step, is_careful=self._is_careful))

    def _finish(self, run: Run, spec: NodeSpec, row: RunStep, result: Done) -> None:
        row.status, row.ended_at, row.branch = RunStep.Status.DONE, self.now, result.branch[:40]
        row.output = dict(result.output)
        del self._open[run.pk]
        run.steps_done += 1
        run.wake_key = ""
        run.data = {**run.data, "nodes": {**run.data.get("nodes", {}), spec.id: dict(result.output)}}
        run.position = self._flow(run).after(spec.id, branch=result.branch)

    def _stop(self, run: Run) -> None:
        """End a run that was under way when its automation was archived."""
        row = self._open.get(run.pk)
        if row is not None:
            row.status, row.ended_at = RunStep.Status.FAILED, self.now
            row.reason, row.detail = "archived", ARCHIVED
            self._changed[row.pk] = row
        self._end(run, Run.Status.STOPPED, reason="archived", detail=ARCHIVED)

    def _end(self, run: Run, status: Run.Status, *, reason: str = "", detail: str = "") -> None:
        run.status, run.ended_at, run.reason, run.detail = status, self.now, reason[:40], detail[:500]
        run.wake_key, run.due_at = "", self.now

    def _flow(self, run: Run) -> Flow:
        flow = self._flows.get(run.version_id)
        if flow is None:
            flow = self._flows[run.version_id] = read(run.version.flow)
        return flow


class _Exact(DjangoJSONEncoder):
    """Times to the microsecond, by which due times are compared; Django's encoder cuts them."""

    def default(self, o: object) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class _StepFailed(Exception):
    """A step failed that may have written something, and no savepoint was set."""


def _attempt_here(node: Node, step: Step, *, is_careful: bool) -> Result:
    """Do a step in the turn's transaction; where it fails nothing of it stays."""
    result: Result
    if not node.writes:
        return _attempt(node, step)
    if not is_careful:
        result = _attempt(node, step)
        if isinstance(result, NodeFailed | TryLater):
            raise _StepFailed
        return result
    try:
        with transaction.atomic():
            result = _attempt(node, step)
            if isinstance(result, NodeFailed | TryLater):
                raise result
    except (NodeFailed, TryLater) as failure:
        return failure
    return result


def _storable(step: Step, result: Outcome) -> Result:
    """Return the result, or a failure where it could not be kept: it would break the turn of all others as well."""
    if not _can_be_kept(step.shown):
        step.shown = {}
    is_whole = _can_be_kept(step.memory)
    if not is_whole:
        step.memory = {}
    if is_whole and (not isinstance(result, Done) or _can_be_kept(result.output)):
        return result
    log.error("step_not_storable", run=str(step.run.pk), node=step.spec.kind)
    return NodeFailed("internal", _OURS)


def _can_be_kept(values: Any) -> bool:
    if not values:
        return True
    try:
        raw = json.dumps(values, cls=_Exact, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return _UNSTORABLE.search(raw) is None


def _attempt(node: Node, step: Step) -> Result:
    try:
        with caused_by(step.run.pk):
            result = node.rehearse(step) if step.is_test else node.run(step)
        return _storable(step, result)
    except (NodeFailed, TryLater) as failure:
        return failure
    except MissingVariables as missing:
        names = ", ".join(missing.names)
        return NodeFailed(
            "missing_value",
            f"There was no value for {names}. Write a fallback in the step, or see that what sets the automation off "
            "brings it; then try again.",
        )
    except TemplateProblem as problem:
        return NodeFailed("bad_text", str(problem))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("step_failed", run=str(step.run.pk), node=node.key)
        return NodeFailed("internal", _OURS)
