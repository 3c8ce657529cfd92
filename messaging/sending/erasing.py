"""What sending has to forget of a person who is erased: texts, numbers, notes, keys of the API."""

import uuid

from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.contacts.erasure.erasers import Person
from messaging.contacts.models import Contact

from .models import IdempotencyKey, Message, MessageEvent
from .statuses import IN_FLIGHT, WAITING, Status
from .transitions import Move, advance

_CHUNK = 1000


def messages_with(organization: Organization, contact: Contact) -> dict[uuid.UUID, str]:
    """Return the messages with a contact, id → number: those with the number, and those that hang on the contact."""
    return dict(_with(organization, contact).values_list("pk", "phone"))


def cancel_for_good(organization: Organization, contact: Contact) -> int:
    """Cancel what waits to be sent to somebody; return how many messages."""
    return _end(_with(organization, contact).filter(status__in=WAITING))


def under_way(organization: Organization, contact: Contact) -> bool:
    """Tell whether the outcome of a message is still to be found out, and may be without a person."""
    return _with(organization, contact).filter(status__in=IN_FLIGHT, needs_person=False).exists()


def settle_for_good(organization: Organization, contact: Contact) -> int:
    """End what nobody can find out any more once the number is gone; return how many messages."""
    return _end(_with(organization, contact).filter(status__in=WAITING | IN_FLIGHT))


def forget_messages(person: Person) -> int:
    """Take number, text and name from the person's messages; how they fared and what they cost stays."""
    ids = list(person.messages)
    for begin in range(0, len(ids), _CHUNK):
        some = ids[begin : begin + _CHUNK]
        rows = Message.objects.filter(organization=person.organization, pk__in=some)
        for phone, key in person.keys.items():
            rows.filter(phone=phone).update(phone=key)
        rows.update(body="", sealed_text="", contact=None, redacted_at=timezone.now(), updated_at=timezone.now())
        MessageEvent.objects.filter(message__in=some).exclude(note="").update(note="")
        IdempotencyKey.objects.filter(organization=person.organization, message__in=some).delete()
    return len(ids)


def _with(organization: Organization, contact: Contact) -> QuerySet[Message]:
    # Two indexes, two questions: PostgreSQL would read the whole log for an OR of the two.
    ours = Message.objects.filter(organization=organization)
    by_number, by_contact = ours.filter(phone=contact.phone), ours.filter(contact=contact)
    return ours.filter(Q(pk__in=by_number.values("pk")) | Q(pk__in=by_contact.values("pk")))


def _end(rows: QuerySet[Message]) -> int:
    moves = [
        Move(message_id=pk, to=Status.CANCELED, source=MessageEvent.Source.MEMBER, reason="erased", note="erased")
        for pk in rows.values_list("pk", flat=True)
    ]
    return len(advance(moves))
