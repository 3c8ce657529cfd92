"""What becomes of runs from outside the engine: each a conditional UPDATE whose row count is the judge.

waiting ⇄ running → done | failed | stopped; failed → waiting where a person tries again; skipped stays so.
"""

import uuid
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.organizations.audit import record
from integrations.organizations.models import User

from .models import Automation, Run, RunStep
from .wake import call_outside, call_quick

Status, Lane = Run.Status, Run.Lane
HELD = {Lane.QUICK: Lane.HELD_QUICK, Lane.OUTSIDE: Lane.HELD_OUTSIDE}
MOST_AT_ONCE = 10_000
ARCHIVED = "The automation was archived."
ERASED = "erased"  # the reason of runs of which nothing is known any more

SENTENCES = {
    "automation.run_retried": "tried a run of the automation {which} again",
    "automation.runs_retried": "tried {count} runs of the automation {which} again",
    "automation.run_stopped": "stopped a run of the automation {which}",
}


def wake_runs(key: str) -> int:
    """Carry on the runs that wait for this, before they are due; return how many. Call it where the thing happens."""
    woken = Run.objects.filter(wake_key=key, status=Status.WAITING).exclude(wake_key="").update(
        due_at=Now(), wake_key=""
    )  # fmt: skip
    if woken:
        transaction.on_commit(_call)
    return woken


def retry(run: Run, *, actor: User | str, ip: str = "") -> bool:
    """Try the step at which a run failed again; False where it has not failed (any more)."""
    with transaction.atomic():
        if not try_again(Run.objects.filter(pk=run.pk)):
            return False
        record(run.organization, actor=actor, action="automation.run_retried", target=run.automation, ip=ip)
    return True


def can_be_retried(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Return those of the runs that failed, and of which it is still known whom they sent what."""
    failed = runs.filter(status=Status.FAILED).exclude(automation__status=Automation.Status.ARCHIVED)
    return failed.exclude(reason=ERASED)


def try_again(runs: QuerySet[Run]) -> int:
    """Let the failed ones of these runs begin again at the step that failed, at most 10,000 at once; return how many.

    Those of an archived automation stay as they are. Call it in a transaction, with a line in the audit log.
    """
    found = can_be_retried(runs)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    # One whose person is erased at this moment is still a failed one when the erasure is committed.
    count = Run.objects.filter(pk__in=ids, status=Status.FAILED).exclude(reason=ERASED).update(
        status=Status.WAITING, due_at=Now(), reason="", detail="", ended_at=None
    )  # fmt: skip
    RunStep.objects.filter(run__in=ids, status=RunStep.Status.FAILED, run__status=Status.WAITING).update(
        status=RunStep.Status.WAITING, reason="", detail="", ended_at=None, attempts=0
    )
    if count:
        transaction.on_commit(_call)
    return count


def stop(run: Run, *, actor: User | str, ip: str = "") -> bool:
    """End a run that waits; False where it had ended, or is being carried on at this moment."""
    with transaction.atomic():
        stopped = Run.objects.filter(pk=run.pk, status=Status.WAITING).update(
            status=Status.STOPPED, reason="stopped", detail="Stopped by a member.", ended_at=Now(), wake_key=""
        )
        if stopped:
            RunStep.objects.filter(run=run, ended_at=None).update(
                status=RunStep.Status.FAILED, reason="stopped", detail="Stopped by a member.", ended_at=Now()
            )
            record(run.organization, actor=actor, action="automation.run_stopped", target=run.automation, ip=ip)
    return bool(stopped)


def stop_waiting(run_ids: Collection[uuid.UUID]) -> int:
    """End those of the runs that wait, as when their automation is archived; return how many. In a transaction."""
    waiting = Run.objects.filter(pk__in=run_ids, status=Status.WAITING)
    stopped = waiting.update(status=Status.STOPPED, reason="archived", detail=ARCHIVED, ended_at=Now(), wake_key="")
    # The runs first: one that is claimed between the two statements goes on, and its step with it.
    steps = RunStep.objects.filter(run__in=run_ids, ended_at=None, run__status=Status.STOPPED)
    steps.update(status=RunStep.Status.FAILED, reason="archived", detail=ARCHIVED, ended_at=Now())
    return stopped


def release_lost() -> int:
    """Let runs be carried on whose worker did not report in time; return how many.

    One whose row is locked is being carried on at this moment, however late: waiting for it would hold up the others,
    and everything else that the sweep does.
    """
    late = Run.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    with transaction.atomic():
        lost = list(late.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
        return Run.objects.filter(pk__in=lost).update(status=Status.WAITING, claim_token=None, lease_until=None)


def hold(run_ids: Iterable[uuid.UUID]) -> None:
    """Put waiting runs of automations that are paused where nobody looks for them.

    The automations are locked: one that is resumed at this moment would let go all runs but these, for ever.
    """
    ids = list(run_ids)
    paused = Automation.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in=Run.objects.filter(pk__in=ids).values("automation"), status=Automation.Status.PAUSED
    )
    owners = list(paused.order_by("pk").values_list("pk", flat=True))
    for lane, held in HELD.items():
        Run.objects.filter(pk__in=ids, automation__in=owners, status=Status.WAITING, lane=lane).update(lane=held)


def let_go(run_ids: Collection[uuid.UUID]) -> int:
    """Let those of the runs that were put aside be carried on; return how many. Call it in a transaction."""
    waiting = Run.objects.filter(pk__in=run_ids, status=Status.WAITING)
    released = sum(waiting.filter(lane=held).update(lane=lane) for lane, held in HELD.items())
    if released:
        transaction.on_commit(_call)
    return released


def _call() -> None:
    call_quick()
    call_outside()
