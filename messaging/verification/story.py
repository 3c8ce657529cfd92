"""Verifications in the timeline of a contact."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry

from .models import Verification


def verifications_of(
    organization: Organization, contact: Contact, before: datetime | None, limit: int
) -> Iterable[Entry]:
    """Return when the contact's number was to be proved, and what came of it."""
    rows = Verification.objects.filter(organization=organization, phone=contact.phone)
    if before is not None:
        rows = rows.filter(created_at__lte=before)
    return [
        Entry(
            row.created_at,
            f"verification:{row.pk}",
            "verified" if row.status == Verification.Status.APPROVED else "pin",
            f"Verification of the number, {row.get_asker_kind_display()}: {Verification.Status(row.state).label}",
            link=reverse("verifications:detail", args=[row.pk]),
        )
        for row in rows.order_by("-id")[:limit]
    ]
