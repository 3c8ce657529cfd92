"""How a message looks in JSON."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from messaging.sending.models import Message, MessageEvent
from messaging.sending.reasons import reason_of
from messaging.sending.statuses import Status

EXAMPLE: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
    "to": "+4915112345678",
    "from": "MG0123456789abcdef0123456789abcdef",
    "body": "Your parcel arrives between 10 and 12.",
    "status": "delivered",
    "direction": "outbound",
    "channel": "sms",
    "route": "twilio",
    "purpose": "transactional",
    "encoding": "GSM-7",
    "segments": 1,
    "provider_sid": "SM0123456789abcdef0123456789abcdef",
    "error": None,
    "price": "0.09000",
    "price_unit": "USD",
    "attempts": 1,
    "template": None,
    "contact_id": None,
    "created_at": "2026-05-01T09:00:00.000Z",
    "updated_at": "2026-05-01T09:00:02.000Z",
    "send_at": "2026-05-01T09:00:00.000Z",
    "handed_over_at": "2026-05-01T09:00:00.200Z",
    "finished_at": "2026-05-01T09:00:02.000Z",
    "events": [
        {"status": "queued", "at": "2026-05-01T09:00:00.000Z", "source": "intake", "error_code": None},
        {"status": "delivered", "at": "2026-05-01T09:00:02.000Z", "source": "callback", "error_code": None},
    ],
}


class MessageError(Schema):
    """Why a message did not go, or does not go on."""

    code: str = Field(description="Twilio's error code in digits, or a word of ours such as opted_out.")
    title: str = Field(description="What happened, in a sentence.")
    remedy: str = Field(description="What to do next.")


class MessageTemplate(Schema):
    """The template a message was written from."""

    id: uuid.UUID
    name: str = Field(description="Its name now.")
    version: int | None = Field(description="The version whose wording was sent.")


class Event(Schema):
    """One step in the life of a message."""

    status: Status
    at: datetime
    source: str = Field(description="Who told: intake, engine, callback, poll, member or api.")
    error_code: int | None = Field(description="Twilio's error code, where this step has one.")


class MessageOut(Schema):
    """A message, sent or received."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [EXAMPLE]})

    id: uuid.UUID
    to: str = Field(description="The recipient: the person for outbound messages, your number for inbound ones.")
    from_: str = Field(
        alias="from", description="The sender: your number, name or Messaging Service; for inbound ones the person."
    )
    body: str
    status: Status = Field(
        description="Final are delivered, read, undelivered, failed, canceled, blocked and received; of these only "
        "delivered may still become read. unknown: handed to Twilio, answer not heard; it settles by itself, so "
        "never send again because of it."
    )
    direction: Literal["outbound", "inbound"]
    channel: str
    route: str = Field(
        description="Who carries it: twilio is your own Twilio account, platform the operator's SMS service."
    )
    purpose: Literal["transactional", "marketing", "verification", "consent"]
    encoding: str | None = Field(description="GSM-7 or UCS-2; null where it was not counted.")
    segments: int = Field(description="How many segments it costs.")
    provider_sid: str | None = Field(description="Twilio's SID, as soon as it is known; none with platform SMS.")
    error: MessageError | None = Field(description="null where there is no trouble.")
    price: str | None = Field(
        description="What Twilio charged, a decimal number, known some time after sending; with platform SMS the "
        "credits it takes, 0 where they came back."
    )
    price_unit: str | None = Field(description="The currency of the price, ISO 4217; credits with platform SMS.")
    attempts: int = Field(description="How many times it was tried to hand it over.")
    template: MessageTemplate | None
    contact_id: uuid.UUID | None = Field(description="The contact who had the number when it was written.")
    created_at: datetime
    updated_at: datetime = Field(description="When its status last changed.")
    send_at: datetime = Field(description="When it is or was due: as asked for, or later where it is tried again.")
    handed_over_at: datetime | None = Field(description="When Twilio is known to have had it.")
    finished_at: datetime | None = Field(description="When it reached a final status.")
    events: list[Event] = Field(description="Every step so far, oldest first.")


def shape(message: Message, *, events: Iterable[MessageEvent] | None = None) -> MessageOut:
    """Return the message as JSON has it; `events`, `template` and `template_version` should have been fetched."""
    reason = reason_of(message)
    ours, theirs = message.sender, message.phone
    return MessageOut.model_construct(
        id=message.pk,
        to=ours if message.is_inbound else theirs,
        from_=theirs if message.is_inbound else ours,
        body=message.body,
        status=Status(message.status),
        direction=message.direction,
        channel=message.channel,
        route=message.route,
        purpose=message.purpose,
        encoding=message.encoding or None,
        segments=message.segments,
        provider_sid=message.shown_sid or None,
        error=MessageError.model_construct(code=reason.code, title=reason.title, remedy=reason.remedy)
        if reason
        else None,
        price=None if message.price is None else str(message.price),
        price_unit=message.price_unit or None,
        attempts=message.attempts,
        template=_shape_template(message),
        contact_id=message.contact_id,
        created_at=message.created_at,
        updated_at=message.updated_at,
        send_at=message.created_at if message.is_held else message.due_at,
        handed_over_at=message.handed_over_at,
        finished_at=message.finished_at,
        events=[_shape_event(event) for event in (message.events.all() if events is None else events)],
    )


def _shape_event(event: MessageEvent) -> Event:
    return Event.model_construct(
        status=Status(event.status), at=event.at, source=event.source, error_code=event.error_code
    )


def _shape_template(message: Message) -> MessageTemplate | None:
    if message.template is None:
        return None
    version = message.template_version.number if message.template_version else None
    return MessageTemplate.model_construct(id=message.template.pk, name=message.template.name, version=version)
