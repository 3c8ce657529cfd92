"""What becomes of the runs that wait when an automation is resumed or archived: the first at once, more by a job.

A hundred thousand rows in one statement would keep whoever pressed the button waiting, and the automation locked, for
a quarter of a minute. Meanwhile nothing goes wrong: runs that are not let go yet are late, and those of an archived
automation are stopped by the engine, too, where one comes due.
"""

import time
import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet

from integrations.organizations.models import User, as_uuid
from integrations.organizations.roles import Capability
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job

from .models import Automation, Run
from .moves import HELD, let_go, stop_waiting

LET_GO, STOP = "automations.let_go", "automations.stop"
SLICE = 2_000
Status = Automation.Status


def let_go_all(automation: Automation, *, actor: User) -> int:
    """Let the runs that were put aside go on, the oldest first; return how many those are. Call it in a transaction."""
    return _begin(automation, _held_of(automation), let_go, kind=LET_GO, actor=actor)


def stop_all(automation: Automation, *, actor: User) -> int:
    """End every run that waits, the oldest first; return how many those are. Call it in a transaction."""
    return _begin(automation, _waiting_of(automation), stop_waiting, kind=STOP, actor=actor)


@register_job(LET_GO, title="Letting runs go on", capability=Capability.EDIT_AUTOMATIONS, is_cancelable=False)
def let_go_step(job: Job, until: float) -> bool:
    """Let the next runs go on; an automation that was paused again keeps the rest."""
    automation = _automation_of(job)
    if automation is None or automation.status != Status.LIVE:
        return True
    return _step(job, _held_of(automation), let_go, until=until)


@register_job(STOP, title="Stopping runs", capability=Capability.EDIT_AUTOMATIONS, is_cancelable=False)
def stop_step(job: Job, until: float) -> bool:
    """Stop the next runs."""
    automation = _automation_of(job)
    return automation is None or _step(job, _waiting_of(automation), stop_waiting, until=until)


def running_job(automation: Automation) -> Job | None:
    """Return what is under way for the runs of an automation: the newest such work."""
    kind = STOP if automation.status == Status.ARCHIVED else LET_GO
    return work.running(automation.organization, kind=kind, automation=str(automation.pk))


def _begin(
    automation: Automation, rows: QuerySet[Run], act: Callable[[list[uuid.UUID]], int], *, kind: str, actor: User
) -> int:
    ids = _next(rows)
    count = act(ids)
    if len(ids) < SLICE:
        return count
    left = rows.filter(pk__gt=ids[-1]).count()
    if left:
        params = {"automation": str(automation.pk), "after": str(ids[-1])}
        work.start(automation.organization, kind=kind, params=params, total=left, actor=actor)
    return count + left


def _step(job: Job, rows: QuerySet[Run], act: Callable[[list[uuid.UUID]], int], *, until: float) -> bool:
    while time.monotonic() < until:
        after = as_uuid(job.cursor.get("after") or job.params.get("after"))
        ids = _next(rows.filter(pk__gt=after) if after else rows)
        if not ids:
            return True
        with transaction.atomic():
            work.save_progress(job, cursor={"after": str(ids[-1])}, done=job.done + act(ids))
    return False


def _automation_of(job: Job) -> Automation | None:
    return Automation.objects.filter(organization=job.organization_id, pk=job.params["automation"]).first()


def _waiting_of(automation: Automation) -> QuerySet[Run]:
    return Run.objects.filter(automation=automation, status=Run.Status.WAITING)


def _held_of(automation: Automation) -> QuerySet[Run]:
    return _waiting_of(automation).filter(lane__in=HELD.values())


def _next(rows: QuerySet[Run]) -> list[uuid.UUID]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:SLICE])
