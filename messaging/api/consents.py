"""Consent: what people agreed to be written to about, and took back."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.scopes import CONSENTS_READ, CONSENTS_WRITE
from messaging.consent.confirming import take_consent
from messaging.consent.ledger import Entry
from messaging.consent.models import ConsentRecord, ConsentState

from .actors import actor_of
from .checks import AwareTime, QueryText, StorableText
from .documentation import problems
from .gate import BearerKey
from .pages import Page, PageQuery, cut, page
from .phones import from_address, read_phone
from .problems import ApiProblem

router = Router()
Purpose = Literal["marketing", "transactional", "verification"]
_EXAMPLE: dict[str, Any] = {
    "phone": "+4915112345678",
    "purpose": "marketing",
    "action": "granted",
    "evidence": {
        "form": "newsletter",
        "wording": "Yes, send me offers by SMS.",
        "wording_version": "3",
        "submission": "4711",
        "ip": "203.0.113.9",
        "given_at": "2026-05-01T08:59:30Z",
    },
}


class Evidence(Schema):
    """The proof: what the person saw and did. All of it is optional, none of it can be added later."""

    model_config = ConfigDict(extra="forbid")

    form: StorableText = Field("", max_length=120, description="The form's name.")
    wording: StorableText = Field("", max_length=2000, description="The sentence that was agreed to.")
    wording_version: StorableText = Field("", max_length=40)
    submission: StorableText = Field("", max_length=120, description="Your id of the submission.")
    reference: StorableText = Field("", max_length=200, description="Where else the proof lies.")
    ip: StorableText = Field("", max_length=60, description="The person's address; only its network is kept.")
    given_at: AwareTime | None = Field(None, description="When it was given, where that was earlier.", examples=[None])


class NewConsent(Schema):
    """What somebody agreed to, or took back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    phone: str = Field(max_length=80, description="The number in any writing.")
    action: Literal["granted", "withdrawn"]
    purpose: Purpose = "marketing"
    channel: Literal["sms"] = Field("sms", description="Only sms so far.")
    source: Literal["api", "form"] = Field("api", description="form: the person filled in a form of yours.")
    reason: StorableText = Field("", max_length=300, description="In words, for your colleagues.")
    evidence: Evidence = Field(default_factory=Evidence)  # type: ignore[arg-type]


class ConsentOut(Schema):
    """One record of the ledger. Records are only ever added."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
                    "phone": "+4915112345678",
                    "contact_id": None,
                    "channel": "sms",
                    "purpose": "marketing",
                    "action": "granted",
                    "source": "form",
                    "reason": "",
                    "evidence": {"form": "newsletter", "wording": "Yes, send me offers by SMS."},
                    "is_current": True,
                    "recorded_at": "2026-05-01T09:00:00.000Z",
                }
            ]
        }
    )

    id: uuid.UUID
    phone: str | None = Field(description="null where the person was erased.")
    contact_id: uuid.UUID | None = Field(description="The contact who had the number then.")
    channel: str
    purpose: Purpose
    action: Literal["granted", "withdrawn", "requested"] = Field(
        description="requested: with double opt-in, the person was asked by SMS and has not answered YES."
    )
    source: str = Field(
        description="form, import, api, staff, keyword, link, portal, double_opt_in (they answered YES) or twilio."
    )
    reason: str
    evidence: dict[str, Any] = Field(
        description="The proof. `not_asked`: why no question could be sent; `confirm_until`: until when to answer."
    )
    is_current: bool = Field(description="Whether this is what holds for the number, channel and purpose now.")
    recorded_at: datetime


class ConsentQuery(PageQuery):
    """What the list of records can be narrowed to."""

    phone: QueryText = Field("", max_length=80, description="The number, in any writing; + may be written as %2B.")
    purpose: Purpose | None = Field(None, description="Only records of this purpose.")
    action: Literal["granted", "withdrawn", "requested"] | None = Field(None, description="Only records of this kind.")


@router.get(
    "",
    response=Page[ConsentOut],
    auth=BearerKey(CONSENTS_READ),
    operation_id="listConsents",
    summary="List consent records",
    openapi_extra=problems(responses={200: "One page of records, newest first."}),
)
def list_consents(request: HttpRequest, query: Query[ConsentQuery]) -> dict[str, Any]:
    """List what was agreed and taken back, newest first. With `phone` it is one person's history."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    rows = ConsentRecord.objects.filter(organization=organization)
    if query.phone:
        phone = read_phone(from_address(query.phone), organization=organization, field="phone")
        rows = rows.filter(phone=phone.e164)
    if query.purpose is not None:
        rows = rows.filter(purpose=query.purpose)
    if query.action is not None:
        rows = rows.filter(action=query.action)
    shown, following = cut(rows, query, asked=request.GET)
    current = _current(shown)
    return page([_shape(one, is_current=one.pk in current) for one in shown], following)


@router.post(
    "",
    response={201: ConsentOut, 200: ConsentOut},
    auth=BearerKey(CONSENTS_WRITE),
    operation_id="recordConsent",
    summary="Record consent",
    openapi_extra=problems(
        responses={
            201: "The record. `requested` where double opt-in is on and the person was asked by SMS.",
            200: "The same was recorded before with the same proof; this is that record.",
        },
        headers={201: {"Location": "The address of the record."}},
    ),
)
def record_consent(request: HttpRequest, payload: NewConsent, response: HttpResponse) -> Status[ConsentOut]:
    """Record that somebody agreed or took it back. An opt-out stays in force all the same: the person texts START."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    phone = read_phone(payload.phone, organization=organization, field="phone")
    began = timezone.now()
    evidence = payload.evidence.dict()
    if payload.evidence.given_at is not None:
        evidence["given_at"] = payload.evidence.given_at.isoformat()
    entry = Entry(
        phone=phone.e164,
        purpose=payload.purpose,
        channel=payload.channel,
        action=payload.action,
        source=payload.source,
        reason=payload.reason,
        evidence=evidence,
    )
    kept = take_consent(organization, entry, actor=actor_of(request), ip="")
    shaped = _shape(kept, is_current=kept.pk in _current([kept]))
    if kept.at < began:
        return Status(200, shaped)
    response["Location"] = f"{request.path.rstrip('/')}/{kept.pk}"
    return Status(201, shaped)


@router.get(
    "/{uuid:consent_id}",
    response=ConsentOut,
    auth=BearerKey(CONSENTS_READ),
    operation_id="getConsent",
    summary="See a consent record",
    openapi_extra=problems(responses={200: "The record."}),
)
def get_consent(request: HttpRequest, consent_id: uuid.UUID) -> ConsentOut:
    """Return one record."""
    organization = request.organization  # type: ignore[attr-defined]
    found = ConsentRecord.objects.filter(organization=organization, pk=consent_id).first()
    if found is None:
        raise ApiProblem("not_found", "Your organization has no consent record of this id.")
    return _shape(found, is_current=found.pk in _current([found]))


def _current(records: Any) -> set[uuid.UUID]:
    """Return those of the records that a state rests on."""
    found = ConsentState.objects.filter(
        organization_id__in={record.organization_id for record in records},
        phone__in={record.phone for record in records},
        record_id__in=[record.pk for record in records],
    )
    return set(found.values_list("record_id", flat=True))


def _shape(record: ConsentRecord, *, is_current: bool) -> ConsentOut:
    return ConsentOut.model_construct(
        id=record.pk,
        phone=record.phone if record.phone.startswith("+") else None,
        contact_id=record.contact_id,
        channel=record.channel,
        purpose=record.purpose,
        action=record.action,
        source=record.source,
        reason=record.reason,
        evidence=record.evidence,
        is_current=is_current,
        recorded_at=record.at,
    )
