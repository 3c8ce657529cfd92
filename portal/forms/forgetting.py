"""Submissions that have served their time: deleted with their files after as many days as the organization set."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from integrations.organizations.models import Organization
from messaging.retention.kept import Kept

from .models import PublicForm, Submission, SubmissionExport


def _older(organization: Organization, moment: datetime) -> QuerySet[Submission]:
    """Return those of public forms: what people of a portal entered is their profile, and stays as long as they do."""
    return Submission.objects.filter(
        form__organization=organization, form__serves=PublicForm.Serves.PUBLIC, created_at__lt=moment
    )


def _delete(organization: Organization, ids: Sequence[uuid.UUID]) -> None:
    """Delete them, and every table that may hold one."""
    rows = Submission.objects.filter(form__organization=organization, pk__in=ids)
    SubmissionExport.objects.filter(form__in=rows.values("form")).delete()
    rows.delete()


SENTENCES = {"retention.submissions_changed": "changed how long submissions are kept from {old} to {new} days"}
KEPT = Kept(
    field="submission_days",
    action="retention.submissions_changed",
    noun="submission",
    nouns="submissions",
    help="What visitors sent by public forms, with their files; profiles in portals stay. A limit on submissions counts"
    " only those still there.",
    older=_older,
    delete=_delete,
)
