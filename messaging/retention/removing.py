"""Remove texts that have served their time: here in slices, at Twilio one request at a time.

What Twilio refuses for now is asked again with growing pauses, for some days; what it refuses for good is shown. A
message that Twilio does not have (any more) is as good as removed.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.twilio.client import gateway_for
from integrations.twilio.errors import TwilioError, TwilioRefused
from messaging.contacts.erasure.erasers import Person
from messaging.sending.models import Message

from .models import RetentionPolicy, TwilioRemoval

log = structlog.get_logger(__name__)
What = TwilioRemoval.What

SLICE = 500
CALLS_AT_ONCE = 8
MOST_ATTEMPTS = 12
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=12)


# Empties what else has the texts of these messages, which ended before that moment, in the caller's transaction.
Copy = Callable[[Organization, Sequence[Message], datetime], None]
_copies: list[Copy] = []


def register_copy(redact: Copy) -> None:
    """Have a room remove the texts that it keeps a copy of; use it in `AppConfig.ready()`."""
    if redact not in _copies:
        _copies.append(redact)


def redact_due(*, slices: int = 20) -> int:
    """Remove the texts whose time is over in all organizations that set one; return how many messages."""
    removed = 0
    policies = RetentionPolicy.objects.filter(days__isnull=False).select_related("organization")
    for policy in policies.order_by("organization_id"):
        for _ in range(slices):
            count = redact_slice(policy)
            removed += count
            if count < SLICE:
                break
    return removed


def redact_slice(policy: RetentionPolicy) -> int:
    """Remove the texts of the next messages of one organization, the oldest first; return how many."""
    if policy.days is None:
        return 0
    before = timezone.now() - timedelta(days=policy.days)
    with transaction.atomic():
        rows = Message.objects.filter(
            organization=policy.organization, redacted_at=None, finished_at__lt=before
        ).order_by("finished_at")
        messages = list(rows.select_for_update(skip_locked=True, of=("self",))[:SLICE])
        ids = [message.pk for message in messages]
        Message.objects.filter(pk__in=ids).update(body="", redacted_at=timezone.now())
        ask_twilio(messages, what=What.TEXT)
        for redact in _copies:
            redact(policy.organization, messages, before)
    return len(messages)


def ask_twilio(messages: Iterable[Message], *, what: TwilioRemoval.What) -> int:
    """Note down what Twilio has to remove, in the caller's transaction; return how many messages it has."""
    wanted = [
        TwilioRemoval(
            organization_id=message.organization_id,
            connection_id=message.connection_id,
            message=message,
            sid=message.provider_sid,
            what=what,
        )
        for message in messages
        if message.provider_sid and message.connection_id
    ]
    TwilioRemoval.objects.bulk_create(wanted, ignore_conflicts=True)
    return len(wanted)


def forget_at_twilio(person: Person) -> int:
    """Note down that Twilio has to delete the messages with a person who is erased."""
    rows = Message.objects.filter(organization=person.organization, pk__in=person.messages)
    return ask_twilio(rows.only("pk", "organization", "connection", "provider_sid"), what=What.MESSAGE)


def remove_at_twilio(*, most: int = 200) -> int:
    """Have Twilio remove what is due, a few requests at once; return how many it removed."""
    due = TwilioRemoval.objects.filter(next_try_at__lte=timezone.now()).order_by("next_try_at")
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True)[:most])
        # Taken for a while: another process does not ask the same, and a killed one is followed by another.
        TwilioRemoval.objects.filter(pk__in=[row.pk for row in rows]).update(
            next_try_at=timezone.now() + timedelta(minutes=5)
        )
    connections = Connection.objects.in_bulk({row.connection_id for row in rows})
    with ThreadPoolExecutor(max_workers=CALLS_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda row: _ask(row, connections[row.connection_id]), rows))
    for row, error in zip(rows, outcomes, strict=True):
        _settle(row, error)
    return sum(error is None for error in outcomes)


def _ask(row: TwilioRemoval, connection: Connection) -> Exception | None:
    """Ask Twilio, outside any transaction, and return what went wrong."""
    try:
        calls = gateway_for(credentials_of(connection))
        if row.what == What.MESSAGE:
            calls.delete_message(row.sid)
        else:
            calls.redact_message(row.sid)
    except TwilioRefused as refused:
        return None if refused.http_status == HTTPStatus.NOT_FOUND else refused
    except (TwilioError, ConnectionUnusable) as error:
        return error
    return None


def _settle(row: TwilioRemoval, error: Exception | None) -> None:
    if error is None:
        TwilioRemoval.objects.filter(pk=row.pk).delete()
        return
    attempts = row.attempts + 1
    code = error.code if isinstance(error, TwilioError) else None
    is_hopeless = attempts >= MOST_ATTEMPTS
    pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    log.info("twilio_removal_refused", code=code, attempts=attempts)
    TwilioRemoval.objects.filter(pk=row.pk).update(
        attempts=attempts, error_code=code, next_try_at=None if is_hopeless else timezone.now() + pause
    )


def try_again(organization: Organization) -> int:
    """Ask Twilio once more for everything that was given up; return how many."""
    given_up = TwilioRemoval.objects.filter(organization=organization, next_try_at=None)
    return given_up.update(next_try_at=timezone.now(), attempts=0)
