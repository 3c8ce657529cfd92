"""Events: what happened in a program of yours, for automations to act on."""

import json
import uuid
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.scopes import EVENTS_WRITE
from messaging.automations.events import LARGEST_DATA, NAME, report_event
from messaging.contacts.models import Contact
from messaging.sending.idempotency import LONGEST_KEY, once_with_result

from .checks import refuse
from .documentation import parameter, problems
from .gate import BearerKey
from .messages import idempotency_key
from .phones import read_phone
from .problems import invalid

router = Router()
_KEY = parameter(
    "Idempotency-Key",
    "Any text of at most 255 characters that is new for each event you mean. Holds for 24 hours: the same key with the "
    "same body is one event.",
    example="order-1042-shipped",
    schema={"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
)

_TAKEN: dict[str, Any] = {"id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d42", "name": "order.shipped", "is_listened_to": True}


def _check_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise refuse("bad_format", "Small letters, digits and _ . - with a letter in front, like order.shipped.")
    return value


def _check_data(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode()) > LARGEST_DATA:
        raise refuse("too_long", "The data have at most 64 KB (65,536 bytes).")
    return value


EventName = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_check_name)]
EventData = Annotated[dict[str, Any], AfterValidator(_check_data)]


class NewEvent(Schema):
    """Something that happened."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "order.shipped", "to": "+4915112345678", "data": {"order": 1042, "carrier": "DHL"}},
                {"name": "stock.low"},
            ]
        },
    )

    name: EventName = Field(description="What happened: small letters, digits and _ . -, as automations name it.")
    to: str = Field(
        "", max_length=80, description="The phone number it is about, in any writing. Its contact is looked up."
    )
    contact: uuid.UUID | None = Field(None, description="The id of the contact it is about, instead of a number.")
    data: EventData = Field(
        default_factory=dict, description="What automations may use, as {{ trigger.data.… }}; at most 64 KB."
    )


class EventTaken(Schema):
    """What became of the event."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TAKEN]})

    id: uuid.UUID | None = Field(
        None,
        description="The id of the event, by which lists of runs are narrowed to what it set off: `?event=`. Null "
        "where no automation listens to events.",
    )
    name: str
    is_listened_to: bool = Field(
        description="Whether an automation listens to events. False: none does, and the event is forgotten."
    )


@router.post(
    "",
    response={202: EventTaken},
    auth=BearerKey(EVENTS_WRITE),
    operation_id="reportEvent",
    summary="Report an event",
    openapi_extra={
        **_KEY,
        **problems(
            "idempotency_key_reused",
            responses={202: "Taken: automations that listen to this name begin within a second."},
        ),
    },
)
def report(request: HttpRequest, payload: NewEvent) -> Status[EventTaken]:
    """Tell automations what happened. Those whose trigger is *API event* with this name begin a run."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    contact, phone = _whom(organization, payload)

    def make() -> dict[str, Any]:
        event = report_event(organization, name=payload.name, data=payload.data, contact=contact, phone=phone)
        return {"id": str(event) if event else None, "name": payload.name, "is_listened_to": event is not None}

    key = idempotency_key(request)
    if key is None:
        with transaction.atomic():
            return Status(202, EventTaken(**make()))
    body = {"path": request.path, "body": request.json_body}  # type: ignore[attr-defined]
    result, _ = once_with_result(organization, key=key, body=body, make=make)
    return Status(202, EventTaken(**result))


def _whom(organization: Organization, payload: NewEvent) -> tuple[Contact | None, str]:
    rows = Contact.objects.filter(organization=organization)
    if payload.contact is not None:
        if payload.to:
            raise invalid("contact", "not_both", "Give `to` or `contact`, not both.")
        contact = rows.filter(pk=payload.contact).first()
        if contact is None:
            raise invalid("contact", "unknown", "Your organization has no contact of this id.")
        return contact, contact.phone
    if not payload.to:
        return None, ""
    phone = read_phone(payload.to, organization=organization, field="to")
    return rows.filter(phone=phone.e164).first(), phone.e164
