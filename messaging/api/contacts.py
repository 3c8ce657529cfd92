"""Contacts: the people an organization writes to."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.scopes import CONTACTS_READ, CONTACTS_WRITE
from integrations.phones import Phone, guess_time_zone
from messaging.contacts import address_book
from messaging.contacts.address_book import ContactProblem, Details
from messaging.contacts.attributes import definitions_of, read_values
from messaging.contacts.filters import ContactFilter, filtered
from messaging.contacts.models import Contact, SavedFilter, Tag

from .actors import actor_of
from .checks import AttributeKey, Email, Language, QueryText, TagName, TimeZone
from .documentation import problems
from .gate import BearerKey
from .pages import Page, PageQuery, cut, page
from .phones import from_address, read_phone
from .problems import ApiProblem, FieldError, invalid

router = Router()


class ContactFields(Schema):
    """What can be said about a contact beside the number."""

    name: str = Field("", max_length=150)
    email: Email = Field("", description="An e-mail address, or empty.")
    language: Language = Field("", description="The code of the person's language, like de, or empty.")
    notes: str = Field("", max_length=5000, description="For your colleagues; never sent.")
    time_zone: TimeZone = Field("", description="A name like Europe/Berlin; empty: the number's, where it has one.")
    attributes: dict[AttributeKey, Any] = Field(
        default_factory=dict,
        max_length=50,
        description="Values of your organization's attributes by their names. Those that are left out stay; null takes "
        "one away.",
    )
    tags: list[TagName] = Field(
        default_factory=list,
        max_length=50,
        description="All tags the contact shall have; new ones are made. Twilio-Message-stop follows the opt-outs and "
        "is neither given nor taken here.",
    )


class NewContact(ContactFields):
    """A contact to add."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"phone": "+4915112345678", "name": "Anna Schmidt", "language": "de"}]},
    )

    phone: str = Field(max_length=80, description="The number in any writing; each number has one contact.")


class ContactChange(ContactFields):
    """What to change about a contact; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Anna Weber"}]})

    phone: str = Field("", max_length=80, description="A new number in any writing.")


class ContactOut(Schema):
    """A contact."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
                    "phone": "+4915112345678",
                    "country": "DE",
                    "name": "Anna Schmidt",
                    "email": "anna@example.com",
                    "language": "de",
                    "notes": "",
                    "time_zone": "Europe/Berlin",
                    "attributes": {"plan": "Gold", "points": 12.5, "vip": True},
                    "tags": ["Twilio-Message-stop"],
                    "created_at": "2026-05-01T09:00:00.000Z",
                    "updated_at": "2026-05-01T09:00:00.000Z",
                }
            ]
        }
    )

    id: uuid.UUID
    phone: str = Field(description="The number in E.164.")
    country: str = Field(description="ISO's two letters of the number's country; empty where it belongs to none.")
    name: str
    email: str
    language: str
    notes: str
    time_zone: str = Field(description="Empty: as the number says, which may name several.")
    attributes: dict[str, str | float | int | bool] = Field(
        description="What your organization keeps besides, by name; dates as year-month-day."
    )
    tags: list[str] = Field(description="Words that group contacts. Twilio-Message-stop: the person opted out.")
    created_at: datetime
    updated_at: datetime


class ContactQuery(PageQuery):
    """What the list of contacts can be narrowed to."""

    phone: QueryText = Field("", max_length=80, description="The number, in any writing; + may be written as %2B.")
    tag: QueryText = Field("", max_length=60, description="The name of a tag they have.")
    country: QueryText = Field("", max_length=3, description="ISO's two letters of the number's country.")
    language: QueryText = Field("", max_length=12, description="The code of the person's language.")
    filter: uuid.UUID | None = Field(None, description="The id of a filter that a member has saved.")


@router.get(
    "",
    response=Page[ContactOut],
    auth=BearerKey(CONTACTS_READ),
    operation_id="listContacts",
    summary="List contacts",
    openapi_extra=problems(responses={200: "One page of contacts, newest first."}),
)
def list_contacts(request: HttpRequest, query: Query[ContactQuery]) -> dict[str, Any]:
    """List contacts, newest first."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    rows = filtered(organization, _wanted(organization, query)).prefetch_related("tags")
    if query.phone:
        phone = read_phone(from_address(query.phone), organization=organization, field="phone")
        rows = rows.filter(phone=phone.e164)
    shown, following = cut(rows, query, asked=request.GET)
    return page([_shape(contact) for contact in shown], following)


@router.post(
    "",
    response={201: ContactOut},
    auth=BearerKey(CONTACTS_WRITE),
    operation_id="createContact",
    summary="Add a contact",
    openapi_extra=problems(
        "contact_exists",
        responses={201: "The contact, added."},
        headers={201: {"Location": "The address of the contact."}},
    ),
)
def create_contact(request: HttpRequest, payload: NewContact, response: HttpResponse) -> Status[ContactOut]:
    """Add a contact. Where the number has one already, the answer names it and nothing changes."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    phone = read_phone(payload.phone, organization=organization, field="phone")
    given = payload.dict(exclude={"phone", "tags", "attributes", "time_zone"})
    details = Details(
        phone=phone,
        **given,
        time_zone=payload.time_zone or None,
        attributes=_read_attributes(organization, payload.attributes),
    )
    names = [_read_tag(name) for name in payload.tags]
    began = timezone.now()
    try:
        contact = address_book.create_contact(
            organization, details=details, actor=actor_of(request), ip=client_ip(request)
        )
    except ContactProblem as problem:
        raise _explain(problem) from problem
    if contact.created_at < began:  # the address book takes the same details twice for a form sent twice
        raise _exists(contact)
    if names:
        address_book.set_tags(contact, names=names, actor=actor_of(request), ip=client_ip(request))
    response["Location"] = f"{request.path.rstrip('/')}/{contact.pk}"
    return Status(201, _shape(contact))


@router.get(
    "/{uuid:contact_id}",
    response=ContactOut,
    auth=BearerKey(CONTACTS_READ),
    operation_id="getContact",
    summary="See a contact",
    openapi_extra=problems(responses={200: "The contact."}),
)
def get_contact(request: HttpRequest, contact_id: uuid.UUID) -> ContactOut:
    """Return one contact."""
    return _shape(_find(request, contact_id))


@router.patch(
    "/{uuid:contact_id}",
    response=ContactOut,
    auth=BearerKey(CONTACTS_WRITE),
    operation_id="changeContact",
    summary="Change a contact",
    openapi_extra=problems("contact_exists", responses={200: "The contact as it is now."}),
)
def change_contact(request: HttpRequest, contact_id: uuid.UUID, payload: ContactChange) -> ContactOut:
    """Change the fields that are given; the others stay."""
    contact = _find(request, contact_id)
    given = payload.dict(exclude_unset=True)
    stored = {name: getattr(contact, name) for name in ("name", "email", "language", "notes")}
    phone = _phone_after(given.pop("phone", None), contact)
    zone = given.pop("time_zone", None)
    names = [_read_tag(name) for name in given.pop("tags", [])] if "tags" in given else None
    details = Details(
        phone=phone,
        attributes=_read_attributes(contact.organization, given.pop("attributes", {})),
        time_zone=guess_time_zone(phone.e164) if zone == "" else zone,
        **{**stored, **given},
    )
    try:
        with transaction.atomic():
            address_book.update_contact(contact, details=details, actor=actor_of(request), ip=client_ip(request))
            if names is not None:
                address_book.set_tags(contact, names=names, actor=actor_of(request), ip=client_ip(request))
    except ContactProblem as problem:
        raise _explain(problem) from problem
    return _shape(_find(request, contact_id))


@router.delete(
    "/{uuid:contact_id}",
    response={204: None},
    auth=BearerKey(CONTACTS_WRITE),
    operation_id="deleteContact",
    summary="Delete a contact",
    openapi_extra=problems(responses={204: "The contact is gone."}),
)
def delete_contact(request: HttpRequest, contact_id: uuid.UUID) -> Status[None]:
    """Delete a contact. Messages keep their history, and an opt-out of the number stays in force."""
    address_book.delete_contact(_find(request, contact_id), actor=actor_of(request), ip=client_ip(request))
    return Status(204, None)


def _shape(contact: Contact) -> ContactOut:
    return ContactOut.model_construct(
        id=contact.pk,
        phone=contact.phone,
        country=contact.region,
        name=contact.name,
        email=contact.email,
        language=contact.language,
        notes=contact.notes,
        time_zone=contact.time_zone,
        attributes=contact.attributes,
        tags=[tag.name for tag in contact.tags.all()],
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )


def _wanted(organization: Organization, query: ContactQuery) -> ContactFilter:
    """Return the filter that the query describes; what is named and does not exist fits nobody."""
    wanted = ContactFilter()
    if query.filter:
        saved = SavedFilter.objects.filter(organization=organization, pk=query.filter).first()
        if saved is None:
            raise invalid("filter", "unknown_filter", "Your organization has no saved filter of this id.")
        wanted = ContactFilter.from_json(saved.wanted)
    if query.tag:
        tag = Tag.objects.filter(organization=organization, name__iexact=query.tag).first()
        if tag is None:
            raise invalid("tag", "unknown_tag", "Your organization has no tag of this name.")
        wanted = replace(wanted, tags_all=(*wanted.tags_all, tag.pk))
    if query.country:
        wanted = replace(wanted, countries=(query.country.upper(),))
    return replace(wanted, languages=(query.language,)) if query.language else wanted


def _read_attributes(organization: Organization, given: dict[str, Any]) -> dict[str, Any]:
    """Return the values as they are kept, or refuse each that its attribute cannot take, by name."""
    if not given:
        return {}
    values, problems = read_values(definitions_of(organization), given)
    if problems:
        errors = [FieldError(f"attributes.{one.key}", one.code, one.message) for one in problems]
        raise ApiProblem("validation_failed", problems[0].message, errors=errors)
    return values


def _read_tag(name: str) -> str:
    try:
        return address_book.read_tag_name(name)
    except ContactProblem as problem:
        raise invalid("tags", problem.code, problem.detail) from problem


def _find(request: HttpRequest, contact_id: uuid.UUID) -> Contact:
    organization = request.organization  # type: ignore[attr-defined]
    rows = Contact.objects.filter(organization=organization).select_related("organization").prefetch_related("tags")
    contact = rows.filter(pk=contact_id).first()
    if contact is None:
        raise ApiProblem("not_found", "Your organization has no contact of this id.")
    return contact


def _phone_after(given: str | None, contact: Contact) -> Phone:
    """Return the new number, or the stored one where none is given."""
    raw = contact.phone if given is None else given
    return read_phone(raw, organization=contact.organization, field="phone")


def _explain(problem: ContactProblem) -> ApiProblem:
    if problem.existing is not None:
        return _exists(problem.existing)
    return invalid(problem.field, problem.code, problem.detail)


def _exists(contact: Contact) -> ApiProblem:
    return ApiProblem(
        "contact_exists", "The contact that `contact_id` names has this number.", more={"contact_id": str(contact.pk)}
    )
