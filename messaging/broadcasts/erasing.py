"""What broadcasts have to forget of a person who is erased."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, QuerySet

from integrations.organizations.models import Organization
from integrations.phones import PhoneProblem, parse_phone
from messaging.contacts.erasure.erasers import Person
from messaging.sending.models import Message

from .models import Broadcast, Recipient, RecipientBatch

_State = Recipient.State
_ENOUGH = 4  # last digits by which most numbers differ


def forget_recipients(person: Person) -> int:
    """Take the person out of broadcasts: what was not sent yet will not be, and what was says no longer to whom.

    The rows stay, because the counts of a broadcast are made of them. Its row is locked, so that the feeder makes no
    message of a row meanwhile.
    """
    ids = _rows_of(person)
    if ids:
        rows = Recipient.objects.filter(pk__in=ids)
        broadcasts = Broadcast.objects.filter(pk__in=set(rows.values_list("broadcast_id", flat=True)))
        for broadcast in broadcasts.order_by("pk").select_for_update():
            _leave_out(broadcast, rows)
        for phone, key in person.keys.items():
            rows.filter(phone=phone).update(phone=key)
        rows.update(contact=None, variables={}, body="", typed="", problem="")
    return len(ids) + _forget_batches(person)


def _rows_of(person: Person) -> list[int]:
    theirs = Recipient.objects.filter(broadcast__organization=person.organization)
    # Each by its own index: the contact, the numbers of rows that are sent, those that are not.
    asked = (
        theirs.filter(contact=person.contact_id),
        theirs.filter(state=_State.READY, phone__in=person.phones),
        theirs.exclude(state=_State.READY).filter(phone__in=person.phones),
    )
    return sorted({pk for rows in asked for pk in rows.values_list("pk", flat=True)})


def _leave_out(broadcast: Broadcast, rows: QuerySet[Recipient]) -> None:
    unfed = rows.filter(broadcast=broadcast, state=_State.READY, row__gt=broadcast.fed_through)
    left_out = unfed.update(state=_State.LEFT_OUT, reason="erased")
    if left_out:
        Broadcast.objects.filter(pk=broadcast.pk).update(
            ready_count=F("ready_count") - left_out, left_out_count=F("left_out_count") + left_out
        )


def _forget_batches(person: Person) -> int:
    """Take the person out of what the API handed over and no check has read yet."""
    changed = 0
    for batch in RecipientBatch.objects.filter(broadcast__organization=person.organization):
        kept = [{"to": ""} if _is_theirs(row, person) else row for row in batch.recipients]
        if kept != batch.recipients:
            batch.recipients = kept
            batch.save(update_fields=["recipients"])
            changed += 1
    return changed


def _is_theirs(row: object, person: Person) -> bool:
    """Tell whether the row has a number of the person, in whatever writing it was given."""
    given = str(row.get("to", "")) if isinstance(row, dict) else ""
    if given in person.keys:
        return True
    # Reading a number takes long, and there may be a million: only those that end alike are read.
    end = "".join(sign for sign in given if sign.isdecimal())[-_ENOUGH:]
    if len(end) < _ENOUGH or not any(phone.endswith(end) for phone in person.phones):
        return False
    try:
        return parse_phone(given, region=person.organization.default_region, allow_magic=True).e164 in person.keys
    except PhoneProblem:
        return False


def redact_recipients(organization: Organization, messages: Sequence[Message], before: datetime) -> None:
    """Take the texts and their variables out of the rows of which these messages were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_recipient r SET body = '', variables = '{}' FROM messaging_message m"
            " WHERE m.id = ANY(%s) AND r.broadcast_id = m.broadcast_id AND r.row = m.broadcast_row",
            [[message.pk for message in messages if message.broadcast_id]],
        )
