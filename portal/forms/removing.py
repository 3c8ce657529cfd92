"""Deleting what was sent."""

from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import User

from .models import Submission, SubmissionExport

SENTENCES = {"submission.deleted": "deleted a submission of the form {form}"}


def delete_submission(submission: Submission, *, actor: User, ip: str = "") -> None:
    """Delete a submission with its files, and every table that may hold it; the consent ledger stays."""
    form = submission.form
    with transaction.atomic():
        record(
            form.organization,
            actor=actor,
            action="submission.deleted",
            target=submission,
            changes={"form": form.title},
            ip=ip,
        )
        SubmissionExport.objects.filter(form=form).delete()
        submission.delete()
