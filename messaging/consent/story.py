"""Opt-outs and consent in the timeline of a contact."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry

from .models import ConsentRecord, OptOut

_ACTIONS = {"granted": "Agreed to", "withdrawn": "Took back", "requested": "Was asked to confirm"}


def opt_outs_of(organization: Organization, contact: Contact, before: datetime | None, limit: int) -> Iterable[Entry]:
    """Return when the contact's number opted out, and in again."""
    rows = OptOut.objects.filter(organization=organization, phone=contact.phone)
    if before is not None:
        rows = rows.filter(Q(started_at__lte=before) | Q(ended_at__lte=before))
    entries = []
    for row in rows.order_by("-started_at")[:limit]:
        reach = "everything" if row.scope == OptOut.Scope.ORGANIZATION else f"what {row.sender} sends"
        word = f" (“{row.keyword}”)" if row.keyword else ""
        by = row.get_source_display()
        entries.append(
            Entry(row.started_at, f"opt-out:{row.pk}", "do_not_disturb_on", f"Opted out of {reach}: {by}{word}")
        )
        if row.ended_at is not None:
            entries.append(
                Entry(
                    row.ended_at, f"opt-in:{row.pk}", "check_circle", f"The opt-out ended: {row.get_ended_by_display()}"
                )
            )
    return entries


def consent_of(organization: Organization, contact: Contact, before: datetime | None, limit: int) -> Iterable[Entry]:
    """Return what the contact's number agreed to and took back."""
    rows = ConsentRecord.objects.filter(organization=organization, phone=contact.phone)
    if before is not None:
        rows = rows.filter(at__lte=before)
    return [
        Entry(
            row.at,
            f"consent:{row.pk}",
            "handshake",
            f"{_ACTIONS.get(row.action, row.action)} {row.get_purpose_display().lower()}: {row.get_source_display()}"
            + (f", {row.actor_label}" if row.actor_label else ""),
        )
        for row in rows.order_by("-at")[:limit]
    ]
