"""Submissions in the timeline of a contact."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry

from .models import PublicForm, Submission


def submissions_of(
    organization: Organization, contact: Contact, before: datetime | None, limit: int
) -> Iterable[Entry]:
    """Return the forms that the contact sent; only who proved the number surely did."""
    # What was entered in a portal is told by the portal's own room.
    forms = {"form__organization": organization, "form__serves": PublicForm.Serves.PUBLIC}
    rows = Submission.objects.filter(contact=contact, **forms)
    if before is not None:
        rows = rows.filter(created_at__lte=before)
    return [
        Entry(
            at=row.created_at,
            key=f"submission:{row.pk}",
            icon="dynamic_form",
            text=f"Sent the form “{row.form.title}”" + ("" if row.verified_at else ", without proof of the number"),
            link=reverse("forms:submission", args=[row.form_id, row.pk]),
        )
        for row in rows.select_related("form").defer("answers", "search_text").order_by("-created_at")[:limit]
    ]
