"""Portals by API: invite numbers, see invitations, send them again, take them back; see who is in."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.network import client_ip
from integrations.organizations.scopes import PORTALS_READ, PORTALS_WRITE
from messaging.api.actors import actor_of
from messaging.api.checks import QueryText, StorableText
from messaging.api.documentation import problems
from messaging.api.gate import BearerKey
from messaging.api.pages import Page, PageQuery, cut, page
from messaging.api.phones import from_address, read_phone
from messaging.api.problems import KINDS, ApiProblem, invalid

from . import invitations
from .finding import STATES, find_invitation
from .invitations import InvitationRefused, open_invitation_of, state_of
from .models import Portal, PortalInvitation, PortalRole, PortalUser

router = Router()

_NO_WAY = (
    "insufficient_credits", "not_connected", "connection_broken", "no_route", "no_sender", "platform_unavailable",
)  # fmt: skip
_EXAMPLE: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
    "user_id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3f",
    "phone": "+4915112345678",
    "name": "Ada",
    "state": "open",
    "source": "api",
    "created_at": "2026-05-01T09:00:00.000Z",
    "expires_at": "2026-05-15T09:00:00.000Z",
    "reminded_at": None,
    "used_at": None,
}
_PERSON: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3f",
    "phone": "+4915112345678",
    "name": "Ada",
    "status": "active",
    "role": "Drivers",
    "language": "de",
    "country": "DE",
    "created_at": "2026-05-01T09:00:00.000Z",
    "registered_at": "2026-05-01T10:00:00.000Z",
    "last_login_at": "2026-05-02T08:00:00.000Z",
}
State = Literal["open", "used", "revoked", "expired"]
UserStatus = Literal["invited", "waiting", "active", "rejected", "suspended", "left"]


class NewInvitation(Schema):
    """A number to be invited."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"phone": "+4915112345678", "name": "Ada"}]}
    )

    phone: str = Field(max_length=80, description="The number in any writing.")
    name: Annotated[StorableText, Field(max_length=120)] = ""
    role: Annotated[StorableText, Field(max_length=40)] = Field(
        "", description="The name of a role of the portal; left out: the one of newcomers."
    )
    language: Annotated[StorableText, Field(max_length=12)] = Field(
        "", description="A language of the portal, such as de; left out: the contact's, else the portal's first."
    )


class InvitationOut(Schema):
    """An invitation of one number."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: uuid.UUID
    user_id: uuid.UUID
    phone: str | None = Field(description="null where the person was erased.")
    name: str
    state: State = Field(description="open: its link works; used: accepted; expired; revoked: taken back.")
    source: Literal["hand", "contacts", "file", "api", "automation"]
    created_at: datetime
    expires_at: datetime
    reminded_at: datetime | None
    used_at: datetime | None


class UserOut(Schema):
    """A person of the portal."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    id: uuid.UUID
    phone: str
    name: str
    status: UserStatus
    role: str | None
    language: str | None
    country: str | None
    created_at: datetime
    registered_at: datetime | None
    last_login_at: datetime | None


class InvitationQuery(PageQuery):
    """What the list of invitations can be narrowed to."""

    state: State | None = Field(None, description="Only those in this state.")


class UserQuery(PageQuery):
    """What the list of people can be narrowed to."""

    status: UserStatus | None = Field(None, description="Only those who stand so.")
    phone: QueryText = Field("", max_length=80, description="The number, in any writing; + may be written as %2B.")


@router.post(
    "/{slug:slug}/invitations",
    response={201: InvitationOut},
    auth=BearerKey(PORTALS_WRITE),
    operation_id="createInvitation",
    summary="Invite a number to a portal",
    openapi_extra=problems(
        "invitation_refused",
        *_NO_WAY,
        responses={201: "The invitation; its SMS is queued."},
        headers={201: {"Location": "The address of the invitation."}},
    ),
)
def create_invitation(
    request: HttpRequest, slug: str, payload: NewInvitation, response: HttpResponse
) -> Status[InvitationOut]:
    """Invite a number by SMS. A number that is invited, in, or opted out is refused, and nothing is stored or sent."""
    portal = _portal(request, slug)
    phone = read_phone(payload.phone, organization=portal.organization, field="phone")
    role = None
    if payload.role:
        role = PortalRole.objects.filter(portal=portal, name__iexact=payload.role).first()
        if role is None:
            raise invalid("role", "unknown_role", "The portal has no role of this name.")
    try:
        invitation = invitations.invite(
            portal,
            phone=phone,
            name=payload.name,
            role=role,
            language=payload.language,
            source=PortalInvitation.Source.API,
            actor=actor_of(request),
            ip=client_ip(request),
        )
    except InvitationRefused as refused:
        raise _explain(refused, portal, phone=phone.e164) from refused
    response["Location"] = f"{request.path.rstrip('/')}/{invitation.pk}"
    return Status(201, _shape(invitation))


@router.get(
    "/{slug:slug}/invitations",
    response=Page[InvitationOut],
    auth=BearerKey(PORTALS_READ),
    operation_id="listInvitations",
    summary="List invitations to a portal",
    openapi_extra=problems(responses={200: "One page of invitations, newest first."}),
)
def list_invitations(request: HttpRequest, slug: str, query: Query[InvitationQuery]) -> dict[str, Any]:
    """List the invitations to a portal, newest first."""
    rows = PortalInvitation.objects.filter(portal=_portal(request, slug)).select_related("user")
    if query.state is not None:
        rows = rows.filter(STATES[query.state])
    shown, following = cut(rows, query, asked=request.GET)
    return page([_shape(one) for one in shown], following)


@router.get(
    "/{slug:slug}/invitations/{uuid:invitation_id}",
    response=InvitationOut,
    auth=BearerKey(PORTALS_READ),
    operation_id="getInvitation",
    summary="See an invitation",
    openapi_extra=problems(responses={200: "The invitation."}),
)
def get_invitation(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> InvitationOut:
    """Return one invitation as it is now."""
    return _shape(_invitation(request, slug, invitation_id))


@router.post(
    "/{slug:slug}/invitations/{uuid:invitation_id}/resend",
    response=InvitationOut,
    auth=BearerKey(PORTALS_WRITE),
    operation_id="resendInvitation",
    summary="Send an invitation again",
    openapi_extra=problems("invitation_refused", *_NO_WAY, responses={200: "The invitation; its SMS is queued anew."}),
)
def resend_invitation(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> InvitationOut:
    """Send the same link again, which holds from now on as long as a new one. Not within a minute of the last text."""
    found = _invitation(request, slug, invitation_id)
    try:
        return _shape(invitations.resend(found, actor=actor_of(request), ip=client_ip(request)))
    except InvitationRefused as refused:
        raise _explain(refused, found.portal) from refused


@router.post(
    "/{slug:slug}/invitations/{uuid:invitation_id}/revoke",
    response=InvitationOut,
    auth=BearerKey(PORTALS_WRITE),
    operation_id="revokeInvitation",
    summary="Take an invitation back",
    openapi_extra=problems("invitation_refused", responses={200: "The invitation, taken back now or before."}),
)
def revoke_invitation(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> InvitationOut:
    """Take an invitation back, whose link does not work any more. Taking it back again changes nothing."""
    found = _invitation(request, slug, invitation_id)
    if found.revoked_at is not None:
        return _shape(found)
    try:
        return _shape(invitations.revoke(found, actor=actor_of(request), ip=client_ip(request)))
    except InvitationRefused as refused:
        raise _explain(refused, found.portal) from refused


@router.get(
    "/{slug:slug}/users",
    response=Page[UserOut],
    auth=BearerKey(PORTALS_READ),
    operation_id="listPortalUsers",
    summary="List the people of a portal",
    openapi_extra=problems(responses={200: "One page of people, the newest first; erased ones are left out."}),
)
def list_portal_users(request: HttpRequest, slug: str, query: Query[UserQuery]) -> dict[str, Any]:
    """List the people of a portal, whatever their status."""
    portal = _portal(request, slug)
    rows = PortalUser.objects.filter(portal=portal).exclude(phone="").select_related("role")
    if query.status is not None:
        rows = rows.filter(status=query.status)
    if query.phone:
        phone = read_phone(from_address(query.phone), organization=portal.organization, field="phone")
        rows = rows.filter(phone=phone.e164)
    shown, following = cut(rows, query, asked=request.GET)
    return page([_person(one) for one in shown], following)


def _portal(request: HttpRequest, slug: str) -> Portal:
    rows = Portal.objects.select_related("organization", "form")
    found = rows.filter(organization=request.organization, slug=slug).first()  # type: ignore[attr-defined]
    if found is None:
        raise ApiProblem("not_found", "Your organization has no portal at this address.")
    return found


def _invitation(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> PortalInvitation:
    found = find_invitation(_portal(request, slug), invitation_id)
    if found is None:
        raise ApiProblem("not_found", "The portal has no invitation of this id.")
    return found


def _explain(refused: InvitationRefused, portal: Portal, *, phone: str = "") -> ApiProblem:
    """Return the problem: of a field, of the way to send, or of the number itself, with the word of the reason."""
    if refused.code in KINDS:
        return ApiProblem(refused.code, refused.detail)
    if refused.code in {"unknown_role", "unknown_language", "blocked_region"}:
        return invalid(refused.field or "phone", refused.code, refused.detail)
    more: dict[str, Any] = {"reason": refused.code}
    if refused.code == "already_invited":
        user = PortalUser.objects.filter(portal=portal, phone=phone).first()
        waiting = open_invitation_of(user) if user else None
        more["invitation_id"] = str(waiting.pk) if waiting else None
    return ApiProblem("invitation_refused", refused.detail, more=more)


def _shape(one: PortalInvitation) -> InvitationOut:
    return InvitationOut.model_construct(
        id=one.pk,
        user_id=one.user_id,
        phone=one.user.phone or None,
        name=one.user.name,
        state=str(state_of(one)),
        source=one.source,
        created_at=one.created_at,
        expires_at=one.expires_at,
        reminded_at=one.reminded_at,
        used_at=one.used_at,
    )


def _person(one: PortalUser) -> UserOut:
    return UserOut.model_construct(
        id=one.pk,
        phone=one.phone,
        name=one.name,
        status=one.status,
        role=one.role.name if one.role else None,
        language=one.language or None,
        country=one.region or None,
        created_at=one.created_at,
        registered_at=one.registered_at,
        last_login_at=one.last_login_at,
    )
