"""What stored callbacks have to forget of a person who is erased."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from integrations.organizations.models import Organization
from messaging.contacts.erasure.erasers import Person
from messaging.sending.models import Message

from .models import Callback


def forget_callbacks(person: Person) -> int:
    """Empty what Twilio told us about messages with the person; that it did stays, with what came of it.

    What they wrote and nobody has read yet stays: it may be a STOP, and makes somebody new of them as any text would.
    """
    theirs = Callback.objects.filter(connection__organization=person.organization)
    about = Q(message_id__in=person.messages) & Q(kind=Callback.Kind.STATUS)
    forgotten = theirs.filter(about).exclude(params={}).update(params={})
    wrote = _from(person.organization, person.phones).exclude(outcome=Callback.Outcome.PENDING)
    return forgotten + wrote.update(params={})


def redact_callbacks(organization: Organization, messages: Sequence[Message], before: datetime) -> None:
    """Take the texts out of the callbacks by which these messages came."""
    phones = {message.phone for message in messages if message.is_inbound}
    rows = (
        list(_from(organization, phones).filter(received_at__lt=before).values_list("pk", flat=True)) if phones else []
    )
    if rows:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_callback SET params = params - 'Body' WHERE id = ANY(%s)", [rows])


def _from(organization: Organization, phones: Iterable[str]) -> QuerySet[Callback]:
    """Return what these people wrote: it has no id of ours, but there is an index on the number."""
    rows = Callback.objects.filter(kind=Callback.Kind.INBOUND, connection__organization=organization)
    return rows.alias(writer=KeyTextTransform("From", "params")).filter(writer__in=list(phones))
