"""Do long work in slices that survive everything: the row is the record, a lease says who works on it.

A slice's effects and the job's new position are one transaction, so that a worker killed at any line costs at most a
slice that is then done again. Whoever lost the lease cannot save: their transaction ends with JobLost.
"""

import time
import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.db import Error, transaction
from django.db.models import Case, F, IntegerField, Q, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from integrations.organizations.models import Organization, User

from .models import Job
from .registry import kind_of
from .wake import wake

log = structlog.get_logger(__name__)

SLICE = 2.0  # seconds that a slice should last
TURN = 10.0  # seconds after which a job makes room for others that wait
LEASE = timedelta(seconds=60)
MOST_FAILURES = 5  # in a row, without any progress between them
_GIVEN_UP = (
    "Something failed on our side, several times. What was done so far stays. Try once more; "
    "if it fails again, ask whoever runs this installation to look into the worker's log."
)
_State = Job.State
_ACTIVE = (_State.WAITING, _State.RUNNING)


class JobFailed(Exception):
    """The work cannot be done; the text is for the admin and says what to do next."""


class JobLost(Exception):
    """Somebody else took the job over, or it was canceled: what was just done must not be saved."""


def start(
    organization: Organization,
    *,
    kind: str,
    params: dict[str, Any] | None = None,
    total: int | None = None,
    actor: User | None = None,
) -> Job:
    """Store a job in the caller's transaction; work on it begins after the commit."""
    if kind_of(kind) is None:
        raise ValueError(f"No room registered the kind of job {kind!r}.")
    with transaction.atomic():
        job = Job.objects.create(
            organization=organization,
            kind=kind,
            params=params or {},
            total=total,
            created_by_id=actor.pk if actor else None,
        )
        transaction.on_commit(lambda: wake(job.pk) and None)
    return job


def cancel(job: Job) -> bool:
    """Stop a job after its present slice, which is not saved; what earlier slices did stays. False: it had ended."""
    changed = Job.objects.filter(pk=job.pk, state__in=_ACTIVE).update(
        state=_State.CANCELED, lease_token=None, lease_until=None, finished_at=Now(), params=_params_to_keep(job)
    )
    job.refresh_from_db()
    return bool(changed)


def running(organization: Organization, *, kind: str, **params: str) -> Job | None:
    """Return the organization's newest unfinished job of a kind; with `params`, of those that have these."""
    jobs = Job.objects.filter(organization=organization, kind=kind, state__in=_ACTIVE)
    return jobs.filter(**{f"params__{name}": value for name, value in params.items()}).order_by("-id").first()


def save_progress(
    job: Job,
    *,
    cursor: dict[str, Any] | None = None,
    done: int | None = None,
    total: int | None = None,
    note: str | None = None,
) -> None:
    """Save how far a job is, in the transaction of the slice's effects; raise JobLost where it is no longer ours."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Save the progress in the transaction of what was done.")
    given = {"cursor": cursor, "done": done, "total": total, "note": note[:200] if note is not None else None}
    values = {name: value for name, value in given.items() if value is not None}
    mine = Job.objects.filter(pk=job.pk, state=_State.RUNNING, lease_token=job.lease_token)
    if not mine.update(**values, lease_until=Now() + LEASE, failures=0):
        raise JobLost
    for name, value in values.items():
        setattr(job, name, value)


def run(job_id: uuid.UUID) -> bool:
    """Work on a job for a while, if nobody else does; return whether it is over (done, failed or canceled)."""
    job = _claim(job_id)
    if job is None:
        return not Job.objects.filter(pk=job_id, state__in=_ACTIVE).exists()
    kind = kind_of(job.kind)
    if kind is None:
        return _end(job, _State.FAILED, error="This version does not know this kind of work. Start it again.")
    if job.failures >= MOST_FAILURES:
        return _end(job, _State.FAILED, error=_GIVEN_UP)
    until = time.monotonic() + TURN
    try:
        while time.monotonic() < until:
            if kind.step(job, time.monotonic() + SLICE):
                return _end(job, _State.DONE)
            if not _is_mine(job):
                return True
    except JobLost:
        log.info("job_lost", job=str(job.pk), kind=job.kind)
        return True
    except JobFailed as failure:
        return _end(job, _State.FAILED, error=str(failure)[:500])
    except Error as error:
        # A restarted database is no fault of the job: the sweep takes it up again when the lease is over.
        log.warning("job_interrupted", job=str(job.pk), kind=job.kind, error=type(error).__name__)
        _stumble(job)
        return False
    except Exception:
        log.exception("job_slice_failed", job=str(job.pk), kind=job.kind)
        _stumble(job)
        return False
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(lease_token=None, lease_until=None)
    wake(job.pk)
    return False


def unattended() -> list[uuid.UUID]:
    """Return the unfinished jobs that nobody works on, oldest first."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return list(Job.objects.filter(free, state__in=_ACTIVE).order_by("created_at").values_list("pk", flat=True)[:100])


def forget_old(*, days: int = 90) -> int:
    """Delete jobs that ended long ago; return how many."""
    deleted, _ = Job.objects.filter(finished_at__lt=timezone.now() - timedelta(days=days)).delete()
    return deleted


def _claim(job_id: uuid.UUID) -> Job | None:
    token = uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    # Whoever held a lease that ran out was killed in its slice, perhaps by it; saved progress forgives that.
    failures = Case(
        When(lease_token__isnull=False, then=F("failures") + 1), default=F("failures"), output_field=IntegerField()
    )
    claimed = Job.objects.filter(free, pk=job_id, state__in=_ACTIVE).update(
        state=_State.RUNNING,
        lease_token=token,
        lease_until=Now() + LEASE,
        started_at=Coalesce("started_at", Now()),
        failures=failures,
    )
    if not claimed:
        return None
    return Job.objects.select_related("organization").get(pk=job_id)


def _is_mine(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, state=_State.RUNNING, lease_token=job.lease_token).exists()


def _end(job: Job, state: Job.State, *, error: str = "") -> bool:
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state=_State.RUNNING).update(
        state=state,
        error=error,
        lease_token=None,
        lease_until=None,
        finished_at=Now(),
        params=_params_to_keep(job),
    )
    return True


def _params_to_keep(job: Job) -> dict[str, Any]:
    """Return the params of a job that has ended, without those that may name people."""
    kind = kind_of(job.kind)
    return {name: value for name, value in job.params.items() if kind is None or name not in kind.forgets}


def _stumble(job: Job) -> None:
    """Give a failed slice another try after a pause; after too many, end the job in words."""
    try:
        if job.failures + 1 >= MOST_FAILURES:
            _end(job, _State.FAILED, error=_GIVEN_UP)
            return
        pause = timedelta(seconds=2**job.failures)
        Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(
            failures=F("failures") + 1, lease_token=None, lease_until=Now() + pause
        )
    except Error as error:
        log.warning("job_stumble_not_written", job=str(job.pk), error=type(error).__name__)
