"""Take in what people write to us: the message, who wrote it, and what a keyword asks for."""

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from integrations.organizations.models import Organization
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.consent.hearing import hear
from messaging.consent.opt_outs import refresh_stop_tag
from messaging.contacts.models import Contact
from messaging.contacts.telling import tell_created
from messaging.happenings.telling import tell
from messaging.inbox.arrivals import Arrival, note_arrival
from messaging.inbox.automatic import FASTEST_PERSON, answer_by_itself
from messaging.inbox.floods import note_flood
from messaging.receipts.models import Callback
from messaging.sending.models import Message, MessageEvent
from messaging.sending.statuses import Status
from messaging.templates.segments import measure
from messaging.verification.waiting import take_reply

from .media import note_media
from .wake import wake_fetching

log = structlog.get_logger(__name__)
_Outcome = Callback.Outcome
LONGEST_BODY = 10_000
# Twilio joins the segments of a long text before it calls us; this says that one of them never came.
MISSING_PART = 30009
RECEIVED = "message.received"
_LONGEST_TOLD = 1_600


def receive(callback: Callback) -> str:
    """Store an incoming message and act on its keyword; return what came of it (a Callback.Outcome).

    The SID is unique, so Twilio's repetitions of the same webhook change nothing. Who answers STOP, START and HELP,
    Twilio or we, is decided in the room of consent. What fails for another cause, such as a contact that is deleted at
    this moment or a deadlock with whoever does it, is tried again at once, because it may be a STOP; then it raises
    what the database said.
    """
    for is_last in (False, False, True):
        try:
            with transaction.atomic():
                outcome = _receive(callback)
            break
        except (IntegrityError, OperationalError) as error:
            if isinstance(error, IntegrityError) and _is_known(_sid_of(callback)):
                outcome = _Outcome.NOTHING_NEW
                break
            if is_last:
                raise
    callback.outcome = outcome
    Callback.objects.filter(pk=callback.pk).update(outcome=outcome)
    return outcome


def _receive(callback: Callback) -> str:
    params, connection = callback.params, callback.connection
    organization = connection.organization
    sid = _sid_of(callback)
    body = str(params.get("Body") or "")[:LONGEST_BODY]
    if not sid:
        return _Outcome.UNREADABLE
    raw = str(params.get("From") or "")
    phone = _number(raw)
    if not raw:
        return _Outcome.UNREADABLE
    if _is_known(sid):
        return _Outcome.NOTHING_NEW
    contact = _contact(organization, phone) if phone else None
    ours = str(params.get("To") or "")
    measured = measure(body)
    now = timezone.now()
    message = Message.objects.create(
        organization=organization,
        connection=connection,
        contact=contact,
        direction=Message.Direction.INBOUND,
        phone=phone.e164 if phone else raw[:16],
        region=phone.region[:3] if phone else "",
        sender=ours[:34],
        body=body,
        encoding=measured.encoding,
        segments=measured.segments,
        status=Status.RECEIVED,
        provider_sid=sid,
        source="inbound",
        error_code=MISSING_PART if str(params.get("ErrorCode") or "") == str(MISSING_PART) else None,
        created_at=now,
        updated_at=now,
        due_at=now,
        valid_until=now,
        finished_at=now,
    )
    MessageEvent.objects.create(message=message, status=Status.RECEIVED, source=MessageEvent.Source.CALLBACK, at=now)
    if note_media(message, params):
        transaction.on_commit(wake_fetching)
    heard = _hear(callback, message=message, phone=phone, contact=contact) if phone else ""
    if phone is None and not _is_whole(raw):
        return _Outcome.APPLIED
    # A code for which an automation waits asks no member for attention.
    is_code = phone is not None and not heard and take_reply(organization, phone=phone.e164, text=body)
    arrival = note_arrival(message, is_handled=bool(heard) or is_code)
    note_flood(arrival)
    if phone is not None and not heard and not is_code:
        consequence = answer_by_itself(message, arrival=arrival, received_at=callback.received_at)
        if consequence.rule is None or not consequence.rule.opts_out:
            _tell(message, arrival)
    return _Outcome.APPLIED


def _sid_of(callback: Callback) -> str:
    return str(callback.params.get("MessageSid") or callback.params.get("SmsSid") or "")[:34]


def _is_known(sid: str) -> bool:
    return Message.objects.filter(provider_sid=sid).exists()


def _is_whole(raw: str) -> bool:
    """Tell whether a writer without a number is one we can tell from others; other channels will be rooms of theirs."""
    return len(raw) <= 16 and ":" not in raw


def _number(raw: str) -> Phone | None:
    """Return the sender's number; None for short codes and names, which write too but are nobody's phone."""
    try:
        return parse_phone(raw, region=None, allow_magic=True)
    except PhoneProblem as problem:
        log.info("inbound_from_no_number", reason=problem.code)
        return None


def _contact(organization: Organization, phone: Phone) -> Contact:
    """Return the contact of the number; somebody new becomes one, who has consented to nothing."""
    contact, is_new = Contact.objects.get_or_create(
        organization=organization, phone=phone.e164, defaults={"region": phone.region[:3]}
    )
    if is_new:
        refresh_stop_tag(organization, phone=phone.e164)
        tell_created(organization.pk, [contact], source="inbound")
    return contact


def _tell(message: Message, arrival: Arrival) -> None:
    """Tell whoever listens; of who is muted or writes faster than a person, which machines do, nothing is told."""
    if arrival.muted_at or arrival.in_this_minute > FASTEST_PERSON:
        return
    tell(
        message.organization_id,
        RECEIVED,
        contact_id=message.contact_id,
        phone=message.phone,
        data={"message_id": str(message.pk), "text": message.body[:_LONGEST_TOLD], "to": message.sender},
    )


def _hear(callback: Callback, *, message: Message, phone: Phone, contact: Contact | None) -> str:
    """Let the room of consent act on a keyword; return which one it was, "" for none."""
    params = callback.params
    return hear(
        message.organization,
        connection=callback.connection,
        message=message,
        phone=phone,
        contact=contact,
        ours=message.sender,
        service=str(params.get("MessagingServiceSid") or "")[:34],
        opt_out_type=str(params.get("OptOutType") or ""),
    )
