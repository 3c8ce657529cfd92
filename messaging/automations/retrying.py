"""Try many failed runs again: up to 10,000 at once, more of them by a job in slices.

Only runs that had begun when the member pressed the button, each once: what fails again is not tried for ever.
"""

import time
import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User, as_uuid
from integrations.organizations.roles import Capability
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job

from .models import Automation, Run
from .moves import MOST_AT_ONCE, can_be_retried, try_again
from .run_filter import RunFilter, filtered

RETRY = "automations.retry"
SLICE = 1_000
MOST_COUNTED = 1_000_000
SENTENCES = {"automation.runs_retried_everywhere": "tried {count} failed runs of automations again"}


def failed_runs(
    organization: Organization, wanted: RunFilter, *, automation_id: uuid.UUID | None = None
) -> QuerySet[Run]:
    """Return the failed runs that fit and can be tried again: those of archived automations stay as they are."""
    return can_be_retried(filtered(organization, wanted, automation_id=automation_id))


def count_failed(rows: QuerySet[Run]) -> int:
    """Count them, up to a million."""
    return rows.order_by().values("pk")[:MOST_COUNTED].count()


def retry_found(
    organization: Organization,
    wanted: RunFilter,
    *,
    automation: Automation | None = None,
    actor: User,
    ip: str = "",
) -> int | Job:
    """Try all failed runs that fit again; return how many, or the job that does it where they are more than 10,000."""
    rows = failed_runs(organization, wanted, automation_id=automation.pk if automation else None)
    count = count_failed(rows)
    newest = rows.order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        return 0
    with transaction.atomic():
        if count <= MOST_AT_ONCE:
            count = try_again(rows)
        _record(organization, automation, count=count, actor=actor, ip=ip)
        if count <= MOST_AT_ONCE:
            return count
        params: dict[str, Any] = {"wanted": wanted.as_json(), "newest": str(newest)}
        if automation is not None:
            params["automation"] = str(automation.pk)
        return work.start(organization, kind=RETRY, params=params, total=count, actor=actor)


@register_job(RETRY, title="Trying failed runs again", capability=Capability.SEND, forgets=("wanted",))
def retry_slice(job: Job, until: float) -> bool:
    """Try the next runs again, the oldest first; each slice is one transaction with the job's position."""
    wanted = RunFilter.from_json(job.params.get("wanted"))
    rows = failed_runs(job.organization, wanted, automation_id=as_uuid(job.params.get("automation")))
    rows = rows.filter(pk__lte=uuid.UUID(job.params["newest"]))
    while time.monotonic() < until:
        after = as_uuid(job.cursor.get("after"))
        next_rows = rows.filter(pk__gt=after) if after else rows
        ids = list(next_rows.order_by("pk").values_list("pk", flat=True)[:SLICE])
        if not ids:
            return True
        with transaction.atomic():
            done = try_again(Run.objects.filter(organization=job.organization_id, pk__in=ids))
            work.save_progress(job, cursor={"after": str(ids[-1])}, done=job.done + done)
    return False


def running_job(organization: Organization) -> Job | None:
    """Return the retry that is under way."""
    return work.running(organization, kind=RETRY)


def _record(organization: Organization, automation: Automation | None, *, count: int, actor: User, ip: str) -> None:
    if not count:
        return
    name = "automation.runs_retried" if automation is not None else "automation.runs_retried_everywhere"
    record(organization, actor=actor, action=name, target=automation, changes={"count": f"{count:,}"}, ip=ip)
