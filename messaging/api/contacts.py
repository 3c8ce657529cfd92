"""Contacts: the people an organization writes to."""

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.scopes import CONTACTS_READ, CONTACTS_WRITE
from integrations.phones import Phone
from messaging.contacts import address_book
from messaging.contacts.address_book import ContactProblem, Details
from messaging.contacts.models import Contact

from .actors import actor_of
from .checks import Email, Language, QueryText
from .documentation import problems
from .gate import BearerKey
from .pages import Page, PageQuery, cut, page
from .phones import from_address, read_phone
from .problems import ApiProblem, invalid

router = Router()


class ContactFields(Schema):
    """What can be said about a contact beside the number."""

    name: str = Field("", max_length=150)
    email: Email = Field("", description="An e-mail address, or empty.")
    language: Language = Field("", description="The code of the person's language, like de, or empty.")
    notes: str = Field("", max_length=5000, description="For your colleagues; never sent.")


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
    tags: list[str] = Field(description="Words that group contacts. Twilio-Message-stop: the person opted out.")
    created_at: datetime
    updated_at: datetime


class ContactQuery(PageQuery):
    """What the list of contacts can be narrowed to."""

    phone: QueryText = Field("", max_length=80, description="The number, in any writing; + may be written as %2B.")


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
    rows = Contact.objects.filter(organization=organization).prefetch_related("tags")
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
    details = Details(phone=phone, **payload.dict(exclude={"phone"}))
    began = timezone.now()
    try:
        contact = address_book.create_contact(
            organization, details=details, actor=actor_of(request), ip=client_ip(request)
        )
    except ContactProblem as problem:
        raise _explain(problem) from problem
    if contact.created_at < began:  # the address book takes the same details twice for a form sent twice
        raise _exists(contact)
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
    stored = {name: getattr(contact, name) for name in ContactFields.model_fields}
    phone = _phone_after(given.pop("phone", None), contact)
    try:
        address_book.update_contact(
            contact,
            details=Details(phone=phone, **{**stored, **given}),
            actor=actor_of(request),
            ip=client_ip(request),
        )
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
        tags=[tag.name for tag in contact.tags.all()],
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )


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
