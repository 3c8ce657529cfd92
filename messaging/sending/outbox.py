"""The one door: every message that leaves was enqueued here."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.clock import database_now
from integrations.connections.models import Connection
from integrations.organizations.models import Organization, User
from integrations.phones import Phone, PhoneProblem, parse_phone, parse_sender
from integrations.platform_sms.ledger import InsufficientCredits, reserve
from integrations.platform_sms.models import CREDITS, PLATFORM_SENDER
from integrations.platform_sms.policies import sign, signature_of
from integrations.quick_rows import assemble
from integrations.region_names import REGION_NAMES
from messaging.consent.blocking import block_reason
from messaging.consent.links import VARIABLE, keep_link_in, link_of, may_hold_link
from messaging.consent.way_out import add_way_out
from messaging.contacts.erasure.number_keys import ensure_secret
from messaging.contacts.models import Contact
from messaging.routing.decision import FREE, Kind, Route, route_for
from messaging.templates.models import Template, TemplateVersion
from messaging.templates.rendering import (
    EmptyText,
    MissingVariables,
    TemplateSyntaxProblem,
    TextTooLong,
    clean_text,
    parse,
    render,
)
from messaging.templates.segments import LONGEST_TEXT, measure
from messaging.templates.variables import contact_values, overlay

from .facts import facts_about
from .insertion import insert_message
from .models import Message, MessageEvent
from .nudges import nudge_soon
from .sealing import mask, seal
from .statuses import Status
from .transitions import Move, advance_one
from .zones import zones_of

# Twilio keeps a message in its own queue for at most ten hours; ours gives it as long.
# https://www.twilio.com/docs/messaging/api/message-resource (ValidityPeriod)
VALIDITY = timedelta(hours=10)
# A code that comes later than this helps nobody any more, and may confuse who has asked for the next one.
CODE_VALIDITY = timedelta(minutes=10)
FURTHEST_DUE = timedelta(days=365)


class EnqueueProblem(Exception):
    """The message was not taken; nothing was stored. `field` names the input at fault, `code` is stable."""

    def __init__(self, code: str, detail: str, *, field: str = "", is_refusal: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field
        self.is_refusal = is_refusal


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody wants to send: a number in any writing or a contact, and a text or a template with its values."""

    to: str = ""
    contact: Contact | None = None
    body: str = ""
    template: Template | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    sender: str = ""
    purpose: str = Message.Purpose.TRANSACTIONAL
    lane: int = Message.Lane.FAST
    send_at: datetime | None = None
    valid_for: timedelta | None = None  # as the purpose has it
    connection: Connection | None = None
    source: str = "page"
    created_by_id: uuid.UUID | None = None
    secret: str = field(default="", repr=False)  # a part of the text that nobody may read in the log


@dataclass(frozen=True)
class Composed:
    """A draft that could be sent: its number, its connection, and the text as the recipient will read it.

    With platform SMS the connection is the operator's, of which nothing may be shown, and `price` is in credits.
    """

    phone: Phone
    connection: Connection | None  # None only where there is a `refusal`
    contact: Contact | None
    template_version: TemplateVersion | None
    sender: str
    body: str
    encoding: str
    segments: int
    time_zones: str = ""
    block: str = ""  # why the recipient must not be written to, as consent has it
    route: Kind = Kind.TWILIO
    price: Decimal = FREE
    refusal: EnqueueProblem | None = None  # why there is no way to send it, where there is none

    @property
    def is_platform(self) -> bool:
        return self.route is Kind.PLATFORM


def compose(organization: Organization, *, draft: Draft) -> Composed:
    """Check a draft and render it, storing nothing; raise EnqueueProblem naming the field that is wrong.

    What is wrong with the input is told before what is wrong with the connection.
    """
    composed = _compose(organization, draft=draft)
    if composed.refusal is not None:
        raise composed.refusal
    return composed


def _compose(organization: Organization, *, draft: Draft) -> Composed:
    """Return what compose does; that there is no way to send it stands in `refusal`."""
    phone = _read_phone(organization, draft)
    sender = read_sender(draft.sender)
    usual = draft.connection.sends_as if draft.connection else ""
    facts = facts_about(organization, phone=phone.e164, sender=sender or usual, purpose=draft.purpose)
    contact = draft.contact or facts.contact
    _check_region(phone, blocked=facts.blocked_regions)
    route = route_for(connection=draft.connection or facts.connection, phone=phone, purpose=draft.purpose)
    is_platform = route.kind is Kind.PLATFORM
    # Platform SMS has its own sender: one of the organization's account could not be used.
    sends_as = PLATFORM_SENDER if is_platform else sender or (route.connection.sends_as if route.connection else "")
    version, body = _read_text(organization, draft, contact, phone=phone, sender=sends_as)
    body = _with_way_out(organization, draft, body=body, phone=phone, sender=sends_as, contact=contact)
    if is_platform and phone.is_mainland_china:
        body = _signed(organization, body)
    _check_due(draft)
    block = facts.block
    if is_platform:
        block = block_reason(organization, phone=phone.e164, sender=sends_as, purpose=draft.purpose)
    measured = measure(body)
    return Composed(
        phone=phone,
        connection=route.connection,
        contact=contact,
        template_version=version,
        sender=sends_as,
        body=body,
        encoding=measured.encoding,
        segments=measured.segments,
        # Quiet hours are for marketing; nothing else asks where the recipient is.
        time_zones=zones_of(phone, contact=contact) if draft.purpose == Message.Purpose.MARKETING else "",
        block=block,
        route=Kind.TWILIO if route.kind is Kind.REFUSED else route.kind,
        price=route.price,
        refusal=_refusal_of(route, sends_as=sends_as),
    )


def _refusal_of(route: Route, *, sends_as: str) -> EnqueueProblem | None:
    if route.kind is Kind.REFUSED or route.connection is None:
        return EnqueueProblem(route.code, route.reason, is_refusal=True)
    if not sends_as:
        return EnqueueProblem(
            "no_sender",
            f"The connection “{route.connection.name}” has neither a Messaging Service nor a From number. "
            "Add one of them.",
            is_refusal=True,
        )
    return None


def validity_of(purpose: str) -> timedelta:
    """Return how long a message of this purpose may wait to be sent, where nothing else is said."""
    return CODE_VALIDITY if purpose == Message.Purpose.VERIFICATION else VALIDITY


def enqueue(organization: Organization, *, draft: Draft, keeps: Collection[str] = ()) -> Message:
    """Take a message: check, route, render, store it in the caller's transaction, and nudge the engine on commit.

    A recipient who opted out, or did not agree to marketing, gets nothing, but the message is stored as `blocked`, so
    that the log shows it. Platform SMS takes its price from the credits at the same time. Raises EnqueueProblem, with
    `is_refusal` where the input was good but there is no way to send; too few credits are `insufficient_credits`.
    Refusals whose codes `keeps` names are not raised: such a message is stored as `blocked`, too, with the code as its
    reason. So nothing of what nobody watches being sent, like an automation's messages, is missing in the log.
    """
    if organization.is_suspended:
        raise EnqueueProblem("suspended", "The organization is suspended; nothing is sent.", is_refusal=True)
    ensure_secret(organization)  # so that a person who is erased at this moment is recognised
    composed = _compose(organization, draft=draft)
    if (refusal := composed.refusal) is not None:
        if refusal.code not in keeps:
            raise refusal
        return store(organization, draft=draft, composed=replace(composed, block=composed.block or refusal.code))
    try:
        return store(organization, draft=draft, composed=composed)
    except EnqueueProblem as problem:
        if problem.code not in keeps:
            raise
        return store(organization, draft=draft, composed=replace(composed, block=problem.code))


def store(organization: Organization, *, draft: Draft, composed: Composed) -> Message:
    """Insert a composed message with its first event, blocked where the recipient opted out or never agreed.

    Raises EnqueueProblem where the credits do not cover it.
    """
    # The database's time: the clock of this machine may differ from those of the workers.
    now = database_now()
    block = composed.block
    is_later = draft.send_at is not None and draft.send_at > now
    status = Status.BLOCKED if block else Status.SCHEDULED if is_later else Status.QUEUED
    due = draft.send_at if is_later and draft.send_at else now
    message = assemble(
        Message,
        related={
            "organization": organization,
            "connection": composed.connection,
            "contact": composed.contact,
            "template": composed.template_version.template if composed.template_version else None,
            "template_version": composed.template_version,
        },
        purpose=draft.purpose,
        lane=draft.lane,
        route=composed.route,
        phone=composed.phone.e164,
        region=composed.phone.region,
        time_zones=composed.time_zones,
        sender=composed.sender,
        body=mask(composed.body, secret=draft.secret) if draft.secret else composed.body,
        sealed_text=seal(composed.body) if draft.secret else "",
        encoding=composed.encoding,
        segments=composed.segments,
        status=status,
        error_reason=block,
        source=draft.source,
        created_by_id=draft.created_by_id,
        created_at=now,
        updated_at=now,
        due_at=due,
        valid_until=due + (validity_of(draft.purpose) if draft.valid_for is None else draft.valid_for),
        finished_at=now if block else None,
    )
    if composed.is_platform:
        message.price, message.price_unit = (FREE if block else composed.price), CREDITS
    has_link = may_hold_link(message.body)
    if has_link or message.price:
        with transaction.atomic():
            if message.price:
                _reserve(organization, message.pk, message.price)
            event = insert_message(message, note=block)
            if has_link:
                keep_link_in(
                    organization, body=message.body, phone=message.phone, channel=message.channel, sender=message.sender
                )
    else:
        event = insert_message(message, note=block)
    message.first_event = event
    if status == Status.QUEUED and composed.connection is not None:
        connection_id, lane, sender = composed.connection.pk, draft.lane, composed.sender
        transaction.on_commit(lambda: nudge_soon(connection_id, lane=lane, sender=sender))
    return message


def cancel(message: Message, *, actor: User | None, source: str = MessageEvent.Source.MEMBER) -> bool:
    """Cancel a message that waits; False where it was already claimed, handed over or finished."""
    note = f"by {actor.get_short_name()}" if actor else ""
    return any(
        advance_one(
            Move(
                message_id=message.pk,
                to=Status.CANCELED,
                source=source,
                reason="canceled",
                note=note,
                only_from=waiting,
            )
        )
        for waiting in (Status.SCHEDULED, Status.QUEUED)
    )


def _reserve(organization: Organization, message_id: uuid.UUID, price: Decimal) -> None:
    try:
        reserve(organization, {message_id: price})
    except InsufficientCredits as problem:
        raise EnqueueProblem(problem.code, problem.detail, is_refusal=True) from problem


def _read_phone(organization: Organization, draft: Draft) -> Phone:
    raw = draft.contact.phone if draft.contact and not draft.to else draft.to
    try:
        return parse_phone(raw, region=organization.default_region, allow_magic=True)
    except PhoneProblem as problem:
        raise EnqueueProblem(problem.code, problem.message, field="to") from problem


def _read_text(
    organization: Organization, draft: Draft, contact: Contact | None, *, phone: Phone, sender: str
) -> tuple[TemplateVersion | None, str]:
    if draft.template is None:
        body = clean_text(draft.body)
        if not body.strip():
            raise EnqueueProblem("empty", "Write the text of the message.", field="body")
        if len(body) > LONGEST_TEXT:
            raise EnqueueProblem(
                "too_long",
                f"The text has {len(body):,} characters; Twilio takes at most {LONGEST_TEXT:,}. Shorten it.",
                field="body",
            )
        return None, body
    version = draft.template.current
    if version is None:
        raise EnqueueProblem("empty", "The template has no text yet.", field="template")
    link = link_of(organization, phone=phone.e164, sender=sender)
    values = overlay({**contact_values(contact, organization), VARIABLE: link}, draft.variables)
    try:
        return version, render(parse(version.body), values)
    except MissingVariables as problem:
        raise EnqueueProblem(
            "missing_variables",
            f"The template needs a value for: {', '.join(problem.names)}.",
            field="variables",
        ) from problem
    except TextTooLong as problem:
        raise EnqueueProblem("too_long", str(problem), field="variables") from problem
    except (EmptyText, TemplateSyntaxProblem) as problem:
        raise EnqueueProblem("bad_template", str(problem), field="template") from problem


def _with_way_out(
    organization: Organization, draft: Draft, *, body: str, phone: Phone, sender: str, contact: Contact | None
) -> str:
    """Return the text, with an unsubscribe link where it is marketing from a name that nobody can reply to."""
    longer = add_way_out(
        organization, body=body, purpose=draft.purpose, phone=phone.e164, sender=sender, contact=contact
    )
    if len(longer) > max(LONGEST_TEXT, len(body)):
        raise EnqueueProblem(
            "too_long",
            f"With the unsubscribe link the text has {len(longer):,} characters; Twilio takes at most "
            f"{LONGEST_TEXT:,}. Shorten it.",
            field="body",
        )
    return longer


def _signed(organization: Organization, body: str) -> str:
    """Return the text with the organization's signature, which carriers in Mainland China ask for."""
    signed = sign(body, signature=signature_of(organization))
    if len(signed) > max(LONGEST_TEXT, len(body)):
        raise EnqueueProblem(
            "too_long",
            f"With its signature the text has {len(signed):,} characters; at most {LONGEST_TEXT:,} can be sent. "
            "Shorten it.",
            field="body",
        )
    return signed


def _check_region(phone: Phone, *, blocked: Collection[str]) -> None:
    if phone.region and phone.region in blocked:
        raise EnqueueProblem(
            "blocked_region",
            f"{REGION_NAMES.get(phone.region, phone.region)} is a country your organization does not send to. "
            "An admin can change that under Settings, Sending limits.",
            field="to",
        )


def read_sender(raw: str) -> str:
    """Return a sender as it is kept: E.164, a short code, a sender ID or a Messaging Service SID; raise EnqueueProblem.

    An empty text stays one: the connection's own sender is meant.
    """
    raw = raw.strip()
    if not raw:
        return ""
    if raw.startswith("MG") and len(raw) == 34 and raw.isascii() and raw.isalnum():
        return raw
    try:
        return parse_sender(raw, region=None).value
    except PhoneProblem as problem:
        raise EnqueueProblem(problem.code, problem.message, field="from") from problem


def _check_due(draft: Draft) -> None:
    if draft.send_at is None:
        return
    if timezone.is_naive(draft.send_at):
        raise EnqueueProblem(
            "no_time_zone", "The time needs a zone, for example 2026-05-01T09:00:00Z.", field="send_at"
        )
    if draft.send_at > database_now() + FURTHEST_DUE:
        raise EnqueueProblem("too_far", "A message can be scheduled at most a year ahead.", field="send_at")
