"""The job that turns a broadcast's source into recipients, slice after slice, each in one transaction with its cursor.

A worker killed at any line leaves whole slices; whoever goes on begins behind the last one. Two at once cannot double a
row: the job's lease is looked at in the transaction, and (broadcast, row) is unique.
"""

import time
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Length

from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.templates.rendering import TemplateProblem, parse

from . import lifecycle
from .check import examine, store
from .models import Broadcast, Recipient
from .problems import BroadcastProblem
from .sources import has_more, read_slice, size_of

SLICE_ROWS = 2000


def step(job: Job, until: float) -> bool:
    """Check rows until the moment is there; return True when all are checked, or nobody wants it any more."""
    broadcast = _broadcast_of(job)
    if broadcast is None:
        return True
    try:
        if not job.cursor:
            _begin(job, broadcast)
        while time.monotonic() < until:
            if not _check_slice(job, broadcast):
                return True
    except BroadcastProblem as problem:
        lifecycle.give_up_check(broadcast, job_id=job.pk, why=problem.detail)
        raise work.JobFailed(problem.detail) from problem
    return False


def _broadcast_of(job: Job) -> Broadcast | None:
    """Return the broadcast that still waits for this very job."""
    return (
        Broadcast.objects.filter(
            organization=job.organization,
            pk=job.params["broadcast"],
            check_job_id=job.pk,
            status=Broadcast.Status.CHECKING,
        )
        .select_related("organization", "connection", "template_version", "retry_of")
        .first()
    )


def _begin(job: Job, broadcast: Broadcast) -> None:
    """Forget what an earlier check found, and see whether there is a text at all."""
    if not broadcast.text.strip() and broadcast.audience != Broadcast.Audience.RETRY:
        raise BroadcastProblem("no_text", "The broadcast has no text. Choose a template, or write one.")
    try:
        parse(broadcast.text)
    except TemplateProblem as problem:
        raise BroadcastProblem("bad_template", f"The text cannot be read: {problem}") from problem
    behind = int(job.params.get("from_row", 0))
    with transaction.atomic():
        rows = Recipient.objects.filter(broadcast=broadcast, row__gt=behind)
        rows._raw_delete(rows.db)
        work.save_progress(job, cursor={"row": behind}, done=behind, total=size_of(broadcast))


def _check_slice(job: Job, broadcast: Broadcast) -> bool:
    """Check and store one slice; return whether there may be more."""
    part = read_slice(broadcast, job.cursor, most=SLICE_ROWS)
    found = examine(broadcast, part.rows)
    with transaction.atomic():
        # Whoever cancels or changes the broadcast waits for this slice, or we see what they did.
        locked = Broadcast.objects.select_for_update().filter(
            pk=broadcast.pk, check_job_id=job.pk, status=Broadcast.Status.CHECKING
        )
        if not locked.exists():
            return False
        is_last = part.is_last and not has_more(broadcast, part.cursor)
        if found:
            store(broadcast, found)
        total = max(job.total, job.done + len(found)) if job.total is not None else None
        work.save_progress(job, cursor=part.cursor, done=job.done + len(found), total=total)
        if is_last:
            counts, summary = summarise(broadcast)
            lifecycle.finish_check(broadcast, job_id=job.pk, counts=counts, summary=summary)
    return not is_last


def summarise(broadcast: Broadcast) -> tuple[dict[str, int], dict[str, Any]]:
    """Count what the dry run shows, once; the rows do not change afterwards."""
    rows = Recipient.objects.filter(broadcast=broadcast)
    counts = {state.value: 0 for state in Recipient.State}
    reasons: dict[str, dict[str, int]] = {"left_out": {}, "bad": {}}
    for state, reason, count in rows.values_list("state", "reason").annotate(count=Count("id")).order_by():
        counts[state] += count
        if state in reasons:
            reasons[state][reason] = count
    ready = rows.filter(state=Recipient.State.READY)
    regions = (
        ready.values_list("region").annotate(count=Count("id"), parts=Sum("segments")).order_by("-count", "region")
    )
    encodings = ready.values_list("encoding").annotate(count=Count("id")).order_by()
    sizes = ready.values_list("segments").annotate(count=Count("id")).order_by("segments")
    by_length = ready.alias(length=Length("body"))
    first = ready.order_by("row").values_list("row", flat=True).first()
    shortest = by_length.order_by("length", "row").values_list("row", flat=True).first()
    longest = by_length.order_by("-length", "row").values_list("row", flat=True).first()
    return counts, {
        "regions": [{"region": region, "count": count, "segments": parts} for region, count, parts in regions],
        "encodings": dict(encodings),
        "sizes": [[segments, count] for segments, count in sizes],
        "segments": sum(parts for _, _, parts in regions),
        "samples": list(dict.fromkeys(row for row in (first, shortest, longest) if row is not None)),
        **reasons,
    }
