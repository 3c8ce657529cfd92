"""Runs of automations in the timeline of a contact."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry

from .models import Run


def runs_of(organization: Organization, contact: Contact, before: datetime | None, limit: int) -> Iterable[Entry]:
    """Return the automations that the contact set off, or that were about it; tests are nobody's history."""
    rows = Run.objects.filter(organization=organization, contact=contact, is_test=False)
    if before is not None:
        rows = rows.filter(created_at__lte=before)
    return [
        Entry(
            at=run.created_at,
            key=f"run:{run.pk}",
            icon="account_tree",
            text=f"Automation “{run.automation.name}” {_WORDS[Run.Status(run.status)]}",
            link=reverse("automations:run", args=[run.pk]),
        )
        for run in rows.select_related("automation").defer("data").order_by("-created_at", "-id")[:limit]
    ]


_WORDS = {
    Run.Status.WAITING: "began and waits",
    Run.Status.RUNNING: "is under way",
    Run.Status.DONE: "ran",
    Run.Status.FAILED: "failed",
    Run.Status.STOPPED: "was stopped",
    Run.Status.SKIPPED: "did not begin",
}
