"""Submissions as a table: written by a job, a slice at a time, and given out for some days; formulas made harmless."""

import functools
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from integrations.organizations.roles import Capability
from messaging.contacts.filters import count_up_to
from messaging.csv_files.writing import csv_lines
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job

from .definition import Field, read_field
from .display import shown_answer
from .filters import SubmissionFilter, filtered
from .models import ExportPiece, PublicForm, Submission, SubmissionExport
from .selectors import columns_of

EXPORT = "forms.export"
SENTENCES = {"submissions.exported": "exported {count} submissions of the form {which}"}
_SLICE = 500
_FIRST = ("Sent", "Number", "Number verified", "Language", "Version")


def start_export(form: PublicForm, wanted: SubmissionFilter, *, actor: User, ip: str = "") -> SubmissionExport:
    """Start writing the submissions that fit; that they were taken out is in the audit log."""
    count, has_more = count_up_to(filtered(form, wanted))
    with transaction.atomic():
        export = SubmissionExport.objects.create(form=form, wanted=wanted.as_json(), created_by=actor)
        export.job = work.start(
            form.organization,
            kind=EXPORT,
            # The columns of this moment: a version that is published meanwhile does not change them in the middle.
            params={"export": str(export.pk), "fields": [column.field.as_json() for column in columns_of(form)]},
            total=None if has_more else count,
            actor=actor,
        )
        export.save(update_fields=["job"])
        record(
            form.organization,
            actor=actor,
            action="submissions.exported",
            target=form,
            changes={"count": f"more than {count:,}" if has_more else f"{count:,}"},
            ip=ip,
        )
    return export


@register_job(EXPORT, title="Exporting submissions", capability=Capability.VIEW_SUBMISSIONS)
def export_slice(job: Job, until: float) -> bool:
    """Write the next submissions."""
    export = (
        SubmissionExport.objects.select_related("form__organization", "form__current")
        .filter(pk=job.params.get("export"), form__organization=job.organization_id)
        .first()
    )
    if export is None:
        raise work.JobFailed("The form was deleted meanwhile, and with it what was sent. There is nothing to export.")
    fields = [read_field(one) for one in job.params.get("fields", [])]
    rows = filtered(export.form, SubmissionFilter.from_json(export.wanted)).select_related("version")
    row_of = functools.partial(_row, export.form.organization, fields)
    return write_pieces(job, export, rows, header=header_of(_FIRST, fields), row_of=row_of, until=until)


def header_of(first: Sequence[str], fields: Sequence[Field]) -> list[str]:
    """Return the head of a table: what every row has, then the questions."""
    return [*first, *(field.label or field.key for field in fields)]


def write_pieces(
    job: Job,
    export: SubmissionExport,
    rows: QuerySet[Any],
    *,
    header: Sequence[str],
    row_of: Callable[[Any], list[str]],
    until: float,
) -> bool:
    """Write the next rows of a table, the newest first, and tell whether all are written.

    The piece of the file and how far the job is are one transaction.
    """
    rows = rows.order_by("-pk")
    while time.monotonic() < until:
        after, number = job.cursor.get("after"), int(job.cursor.get("pieces", 0))
        page = list((rows.filter(pk__lt=uuid.UUID(after)) if after else rows)[:_SLICE])
        if not page and number:
            return True
        with transaction.atomic():
            data = _piece(header, [row_of(one) for one in page], is_first=not number)
            ExportPiece.objects.create(export=export, number=number, data=data)
            export.rows += len(page)
            export.save(update_fields=["rows"])
            cursor = {"after": str(page[-1].pk) if page else after, "pieces": number + 1}
            work.save_progress(job, cursor=cursor, done=job.done + len(page))
        if len(page) < _SLICE:
            return True
    return False


def download(export: SubmissionExport) -> StreamingHttpResponse:
    """Return the finished table."""
    day = timezone.localdate(export.created_at, timezone=ZoneInfo(export.form.organization.time_zone))
    response = StreamingHttpResponse(_pieces(export), content_type="text/csv; charset=utf-8")
    name = f"{export.form.title} {day:%Y-%m-%d}.csv"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def forget_old_exports() -> int:
    """Delete tables that are older than uploads may get; return how many."""
    old = SubmissionExport.objects.filter(created_at__lt=Now() - timedelta(days=settings.UPLOAD_DAYS))
    count = 0
    for export in old.only("pk").iterator(chunk_size=100):
        export.delete()
        count += 1
    return count


def _pieces(export: SubmissionExport) -> Iterator[bytes]:
    numbers = list(export.pieces.order_by("number").values_list("pk", flat=True))
    for pk in numbers:
        piece = ExportPiece.objects.filter(pk=pk).first()
        if piece is not None:
            yield bytes(piece.data)


def _piece(header: Sequence[str], rows: Sequence[list[str]], *, is_first: bool) -> bytes:
    written = b"".join(csv_lines(header=header, rows=rows))
    if is_first:
        return written
    # The head is written once; it ends where a table of no rows does.
    return written[len(b"".join(csv_lines(header=header, rows=[]))) :]


def _row(organization: Organization, fields: Sequence[Field], submission: Submission) -> list[str]:
    zone = ZoneInfo(organization.time_zone)
    verified = submission.verified_at
    return [
        f"{submission.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
        submission.phone,
        f"{verified.astimezone(zone):%Y-%m-%d %H:%M}" if verified else "no",
        submission.language,
        str(submission.version.number),
        *(shown_answer(field, submission.answers.get(field.key)) for field in fields),
    ]
