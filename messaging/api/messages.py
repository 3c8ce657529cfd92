"""Messages: send, look, list, cancel."""

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization, as_uuid
from integrations.organizations.scopes import MESSAGES_READ, MESSAGES_WRITE
from messaging.sending import outbox, statuses
from messaging.sending.idempotency import LONGEST_KEY, once
from messaging.sending.models import Message, MessageEvent
from messaging.sending.outbox import Draft
from messaging.templates.models import Template
from messaging.templates.segments import LONGEST_TEXT
from messaging.templates.selectors import active_templates

from .checks import AwareTime, QueryText, VariableValue
from .documentation import parameter, problems
from .gate import BearerKey
from .message_shape import MessageOut, shape
from .pages import Page, PageQuery, cut, page
from .phones import from_address, read_phone
from .problems import ApiProblem, invalid

router = Router(by_alias=True)

# Clocks differ, and a request may have waited in a queue of the caller's.
PAST_BY_AT_MOST = timedelta(minutes=10)
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class NewMessage(Schema):
    """A message to send: a text, or a template with its values."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {"to": "+4915112345678", "body": "Your parcel arrives between 10 and 12."},
                {"to": "+4915112345678", "template": "Delivery today", "variables": {"window": "10 to 12"}},
            ]
        },
    )

    to: str = Field(
        max_length=80,
        description="A phone number in any writing. Without + it is read in your organization's default region.",
    )
    body: str = Field("", max_length=LONGEST_TEXT, description="The text; this or `template`.")
    template: str = Field("", max_length=80, description="The id or the name of a template.")
    variables: dict[str, VariableValue] = Field(
        default_factory=dict, max_length=100, description="Values for the template's variables."
    )
    channel: Literal["sms"] = Field("sms", description="Only sms so far.")
    from_: str = Field(
        "",
        alias="from",
        max_length=60,
        description="A number, a name of at most 11 characters or a Messaging Service SID of your Twilio account. "
        "Left out: what the connection sends as. Platform SMS has a sender of its own.",
    )
    send_at: AwareTime | None = Field(
        None, description="When to send, with its zone, at most a year ahead. Left out: now.", examples=[None]
    )
    purpose: Literal["transactional", "marketing"] = Field(
        "transactional", description="marketing is what the person did not ask for at this moment."
    )


class MessageQuery(PageQuery):
    """What the list of messages can be narrowed to."""

    to: QueryText = Field(
        "",
        max_length=80,
        description="The recipient, in any writing; + may be written as %2B. Alone it finds outbound messages; with "
        "direction=inbound, what arrived at one of your own numbers.",
    )
    status: statuses.Status | None = Field(None, description="Only messages in this status.")
    direction: Literal["outbound", "inbound"] | None = Field(None, description="Only sent or only received ones.")


@router.post(
    "",
    response={202: MessageOut, 200: MessageOut},
    auth=BearerKey(MESSAGES_WRITE),
    operation_id="sendMessage",
    summary="Send a message",
    openapi_extra=problems(
        "insufficient_credits", "idempotency_key_reused", "not_connected", "connection_broken", "no_route", "no_sender",
        "platform_unavailable",
        responses={
            202: "The message was taken. Its status is queued, scheduled, or blocked with the reason in `error`.",
            200: "This Idempotency-Key was used before with the same body: the message of that request as it is now.",
        },
        headers={202: {"Location": "The address of the message."}},
    )
    | parameter(
        "Idempotency-Key",
        "Any text of at most 255 characters that is new for each message you mean to send, such as a UUID. Holds for "
        "24 hours: the same key with the same body never sends twice.",
        example="order-4711-shipped",
        schema={"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
    ),
)  # fmt: skip
def send_message(request: HttpRequest, payload: NewMessage, response: HttpResponse) -> Status[MessageOut]:
    """Take a message for sending. 202 means kept: it survives a crash and goes out once, never twice.

    A recipient who opted out gets nothing; the message is stored as `blocked`, so that your log shows it.
    """
    organization: Organization = request.organization  # type: ignore[attr-defined]
    _check_shape(payload)
    make = _maker(request, organization, payload)
    key = idempotency_key(request)
    if key is None:
        message, is_new = make(), True
    else:
        body = request.json_body  # type: ignore[attr-defined]
        message, is_new = once(organization, key=key, body=body, make=make)
    if is_new:
        response["Location"] = f"{request.path.rstrip('/')}/{message.pk}"
        # Of what was just stored the event is known; asking for it might find more than the status beside it.
        return Status(202, shape(message, events=[message.first_event] if message.first_event else None))
    return Status(200, shape(_find(organization, message.pk)))


@router.get(
    "",
    response=Page[MessageOut],
    auth=BearerKey(MESSAGES_READ),
    operation_id="listMessages",
    summary="List messages",
    openapi_extra=problems(responses={200: "One page of messages, newest first, each with its events."}),
)
def list_messages(request: HttpRequest, query: Query[MessageQuery]) -> dict[str, Any]:
    """List sent and received messages, newest first."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    rows = Message.objects.filter(organization=organization)
    if query.status is not None:
        rows = rows.filter(status=query.status)
    if query.direction is not None:
        rows = rows.filter(direction=query.direction)
    if query.to:
        rows = _to(rows, query, organization)
    shown, following = cut(_with_all(rows), query, asked=request.GET)
    return page([shape(message) for message in shown], following)


@router.get(
    "/{uuid:message_id}",
    response=MessageOut,
    auth=BearerKey(MESSAGES_READ),
    operation_id="getMessage",
    summary="See a message",
    openapi_extra=problems(responses={200: "The message with every event so far."}),
)
def get_message(request: HttpRequest, message_id: uuid.UUID) -> MessageOut:
    """Return one message as it is now."""
    return shape(_find(request.organization, message_id))  # type: ignore[attr-defined]


@router.post(
    "/{uuid:message_id}/cancel",
    response=MessageOut,
    auth=BearerKey(MESSAGES_WRITE),
    operation_id="cancelMessage",
    summary="Cancel a message",
    openapi_extra=problems("not_cancelable", responses={200: "The message, canceled now or before."}),
)
def cancel_message(request: HttpRequest, message_id: uuid.UUID) -> MessageOut:
    """Cancel a message that is still scheduled or queued. Canceling it again changes nothing."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    is_canceled = outbox.cancel(_find(organization, message_id), actor=None, source=MessageEvent.Source.API)
    message = _find(organization, message_id)
    if not is_canceled and message.status != statuses.Status.CANCELED:
        label = message.get_status_display().lower()
        raise ApiProblem("not_cancelable", f"The message can no longer be canceled; its status is: {label}.")
    return shape(message)


def _check_shape(payload: NewMessage) -> None:
    if payload.template and payload.body:
        raise invalid("template", "body_and_template", "Give a text or a template, not both.")
    if not payload.template and not payload.body.strip():
        raise invalid("body", "required", "Write the text of the message, or give a template.")
    if payload.variables and not payload.template:
        raise invalid("variables", "no_template", "Variables go with a template; a text is sent as it is.")


def _maker(request: HttpRequest, organization: Organization, payload: NewMessage) -> Callable[[], Message]:
    """Return what makes the message. What may change with time is looked at inside: a repeated request skips it."""

    def make() -> Message:
        if payload.send_at is not None and payload.send_at < timezone.now() - PAST_BY_AT_MOST:
            raise invalid("send_at", "in_the_past", "This time has passed. Leave the field out to send now.")
        return outbox.enqueue(
            organization,
            draft=Draft(
                to=payload.to,
                body=payload.body,
                template=named_template(organization, payload.template) if payload.template else None,
                variables=payload.variables,
                sender=payload.from_,
                purpose=payload.purpose,
                send_at=payload.send_at,
                source="api",
                created_by_id=request.auth.pk,  # type: ignore[attr-defined]
            ),
        )

    return make


def named_template(organization: Organization, wanted: str) -> Template:
    """Return the template of that id, else of that name."""
    templates = active_templates(organization)
    template = templates.filter(pk=key).first() if (key := as_uuid(wanted)) else None
    template = template or templates.filter(name=wanted).first()
    if template is None:
        raise invalid("template", "unknown_template", "There is no template of this id or name.")
    return template


def idempotency_key(request: HttpRequest) -> str | None:
    """Return the key as it is kept: hashed, because callers put order numbers and worse into it; None without one."""
    raw = request.headers.get("Idempotency-Key")
    if raw is None:
        return None
    if len(raw) > LONGEST_KEY or not _KEY.fullmatch(raw):
        raise invalid("Idempotency-Key", "bad_format", f"Write 1 to {LONGEST_KEY} letters, digits and signs of ASCII.")
    return f"api:{hashlib.sha256(raw.encode()).hexdigest()}"


def _to(rows: QuerySet[Message], query: MessageQuery, organization: Organization) -> QuerySet[Message]:
    phone = read_phone(from_address(query.to), organization=organization, field="to").e164
    if query.direction == Message.Direction.INBOUND:
        return rows.filter(sender=phone)
    return rows.filter(direction=Message.Direction.OUTBOUND, phone=phone)


def _with_all(rows: QuerySet[Message]) -> QuerySet[Message]:
    return rows.select_related("template", "template_version").prefetch_related("events")


def _find(organization: Organization, message_id: uuid.UUID) -> Message:
    message = _with_all(Message.objects.filter(organization=organization)).filter(pk=message_id).first()
    if message is None:
        raise ApiProblem("not_found", "Your organization has no message of this id.")
    return message
