"""Going through a file in slices: a batch of rows, its effects and the new position are one transaction."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from django.db import transaction

from messaging.csv_files.inspection import read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.problems import FileProblem
from messaging.csv_files.reading import Position
from messaging.jobs.models import Job
from messaging.jobs.work import JobFailed, save_progress

from .drafts import Draft, Plan, read_draft
from .models import ContactImport

BATCH = 500  # rows of one transaction
Counts = Counter[str]
# Handles a batch inside the transaction that saves the position, and adds to the counts.
Handle = Callable[[ContactImport, Plan, Upload, Sequence[Draft], Counts], None]


def go_through(
    job: Job,
    until: float,
    *,
    state: str,
    handle: Handle,
    finish: Callable[[ContactImport], None],
    begin: Callable[[Upload], None] | None = None,
) -> bool:
    """Handle batch after batch until the moment `until`; return True, having called `finish`, at the end of the file.

    `begin` is called before the first batch, in a transaction of its own: it must not matter how often.

    Where the pass is stands in the import itself and not in the job: a job that was stopped is followed by another.
    """
    importing = (
        ContactImport.objects.select_related("organization", "upload", "created_by")
        .filter(organization=job.organization, pk=job.params.get("import"), state=state, job=job)
        .first()
    )
    if importing is None:
        raise JobFailed("This import is not there any more. Upload the file again.")
    upload = importing.upload
    if upload is None:
        raise JobFailed("The file was forgotten meanwhile: files are kept for some days only. Upload it again.")
    plan = Plan.of(importing)
    position = importing.progress.get("position")
    done, counts = int(importing.progress.get("rows", 0)), Counter(importing.progress.get("counts", {}))
    if begin is not None and not position:
        begin(upload)
    try:
        rows = read_rows(upload, inspection=plan.inspection, start=Position(*position) if position else None)
        while batch := list(islice(rows, BATCH)):
            drafts = [read_draft(plan, row) for row in batch]
            done += len(batch)
            with transaction.atomic():
                handle(importing, plan, upload, drafts, counts)
                importing.progress = {
                    "position": list(batch[-1].next_position),
                    "rows": done,
                    "counts": dict(counts),
                }
                importing.save(update_fields=["progress", "first_wrong"])
                save_progress(job, done=done, total=max(plan.inspection.about, done))
            if time.monotonic() > until:
                return False
    except FileProblem as problem:
        raise JobFailed(problem.detail) from problem
    with transaction.atomic():
        importing.counts, importing.progress = {**counts, "rows": done}, {}
        finish(importing)
        importing.save(update_fields=["counts", "progress", "state", "finished_at"])
        save_progress(job, done=done, total=done)
    return True
