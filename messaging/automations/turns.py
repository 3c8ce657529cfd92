"""Runs that are carried on together, and where what came of their steps leads each."""

import json
import uuid
from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from integrations.clock import database_now
from integrations.identifiers import new_id

from .attempts import ExactEncoder, Result, attempt_here
from .base import Again, Done, End, Node, NodeFailed, Step, TryLater, Wait
from .flow import Flow, NodeSpec, read
from .models import Automation, Run, RunStep
from .moves import ARCHIVED, hold
from .registry import node_of
from .scopes import values_of
from .wake import call_outside, call_quick

STEPS_A_TURN = 25
MOST_ATTEMPTS = 6
_FIRST_PAUSE = 10.0  # seconds; four times as long each time: the sixth attempt is over an hour after the first

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


def goes_on(run: Run) -> bool:
    """Tell whether a run may be carried on: its automation is neither paused nor archived, or it is a test."""
    return run.is_test or run.automation.status == Automation.Status.LIVE


class Turn:
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
            cursor.execute(_SAVE, [json.dumps(rows, cls=ExactEncoder)])
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
            # Whoever says "in a second" six times would use all tries up within six seconds.
            pause = max(_FIRST_PAUSE * 4 ** (row.attempts - 1), result.seconds or 0)
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
        self.apply(run, spec, row, step, attempt_here(node, step, is_careful=self._is_careful))

    def _finish(self, run: Run, spec: NodeSpec, row: RunStep, result: Done) -> None:
        row.status, row.ended_at, row.branch = RunStep.Status.DONE, self.now, result.branch[:40]
        row.output, row.detail = dict(result.output), result.note[:500]
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
