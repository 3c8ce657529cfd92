"""People of a portal as a table: written by a job in slices; kept and given out as tables of submissions are."""

import functools
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from integrations.organizations.audit import record
from integrations.organizations.models import User
from integrations.organizations.roles import Capability
from messaging.contacts.filters import count_up_to
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job
from portal.forms.definition import Field, read_field
from portal.forms.display import shown_answer
from portal.forms.exporting import header_of, write_pieces
from portal.forms.models import SubmissionExport
from portal.forms.selectors import columns_of

from .finding import PersonFilter, people_of
from .models import Portal, PortalUser

EXPORT = "portal.people.export"
SENTENCES = {"portal_people.exported": "exported {count} people of the portal {portal}"}
_FIRST = (
    "Number", "Name", "Status", "Role", "Language", "Country", "Added", "Registered", "Last login", "Terms accepted",
    "Decided", "Reason",
)  # fmt: skip


def start_export(portal: Portal, wanted: PersonFilter, *, actor: User, ip: str = "") -> SubmissionExport:
    """Start writing the people that fit; that they were taken out is in the audit log."""
    count, has_more = count_up_to(people_of(portal, wanted))
    with transaction.atomic():
        export = SubmissionExport.objects.create(
            form=portal.form, wanted={"people": wanted.as_json()}, created_by=actor
        )
        export.job = work.start(
            portal.organization,
            kind=EXPORT,
            params={"export": str(export.pk), "fields": [column.field.as_json() for column in columns_of(portal.form)]},
            total=None if has_more else count,
            actor=actor,
        )
        export.save(update_fields=["job"])
        record(
            portal.organization,
            actor=actor,
            action="portal_people.exported",
            target=portal,
            changes={"count": f"more than {count:,}" if has_more else f"{count:,}", "portal": portal.name},
            ip=ip,
        )
    return export


def newest_export(portal: Portal, *, actor: User) -> SubmissionExport | None:
    """Return the member's own newest table of people."""
    return _exports(portal).filter(created_by=actor).order_by("-id").first()


def find_export(portal: Portal, pk: uuid.UUID) -> SubmissionExport | None:
    """Return a table of the portal's people that is finished."""
    row = _exports(portal).filter(pk=pk).first()
    return row if row is not None and (row.job is None or row.job.state == Job.State.DONE) else None


@register_job(EXPORT, title="Exporting people", capability=Capability.PORTAL_PEOPLE)
def export_slice(job: Job, until: float) -> bool:
    """Write the next people."""
    export = (
        SubmissionExport.objects.select_related("form__portal__organization")
        .filter(pk=job.params.get("export"), form__organization=job.organization_id)
        .first()
    )
    if export is None:
        raise work.JobFailed("Somebody was erased meanwhile, and the table with them. Start it again.")
    columns = [read_field(one) for one in job.params.get("fields", [])]
    portal: Portal = export.form.portal
    people = people_of(portal, PersonFilter.from_json(export.wanted.get("people")))
    people = people.select_related("role", "terms", "submission")
    row_of = functools.partial(_row, portal, columns)
    return write_pieces(job, export, people, header=header_of(_FIRST, columns), row_of=row_of, until=until)


def _exports(portal: Portal) -> QuerySet[SubmissionExport]:
    rows = SubmissionExport.objects.filter(form=portal.form_id, wanted__has_key="people")
    return rows.select_related("job", "form__organization")


def _row(portal: Portal, columns: Sequence[Field], user: PortalUser) -> list[str]:
    zone = ZoneInfo(portal.organization.time_zone)
    moments = (user.created_at, user.registered_at, user.last_login_at)
    answers = user.submission.answers if user.submission else {}
    return [
        user.phone,
        user.name,
        user.get_status_display(),
        str(user.role or ""),
        user.language,
        user.region,
        *(f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "" for at in moments),
        f"version {user.terms.number}" if user.terms else "",
        f"{user.decided_at.astimezone(zone):%Y-%m-%d %H:%M}" if user.decided_at else "",
        user.decision_reason,
        *(shown_answer(field, answers.get(field.key)) for field in columns),
    ]
