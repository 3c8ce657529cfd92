"""Messages in the timeline of a contact."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry

from .models import Message


def messages_of(organization: Organization, contact: Contact, before: datetime | None, limit: int) -> Iterable[Entry]:
    """Return what was written to and by a contact, and to the number before it was a contact's."""
    ours = Message.objects.filter(organization=organization)
    if before is not None:
        ours = ours.filter(created_at__lte=before)
    found: dict[object, Message] = {}
    for rows in (ours.filter(contact=contact), ours.filter(phone=contact.phone, contact=None)):
        found.update((message.pk, message) for message in rows.order_by("-created_at", "-id")[:limit])
    return [_entry(message) for message in found.values()]


def _entry(message: Message) -> Entry:
    return Entry(
        at=message.created_at,
        key=f"message:{message.pk}",
        icon="sms",
        text="The text was removed." if message.redacted_at else "",
        body=message.body,
        link=reverse("messages:detail", args=[message.pk]),
        status=message.status,
        is_inbound=message.is_inbound,
    )
