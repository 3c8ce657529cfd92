"""Opt-outs: who must not be written to."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.scopes import OPT_OUTS_READ, OPT_OUTS_WRITE
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import OptOutProblem, end_by_api, start_opt_out
from messaging.contacts.erasure.number_keys import is_key

from .actors import actor_of
from .checks import QueryText
from .documentation import problems
from .gate import BearerKey
from .pages import Page, PageQuery, cut, page
from .phones import from_address, read_phone
from .problems import ApiProblem

router = Router()


class NewOptOut(Schema):
    """Somebody who asked you, in whatever way, not to be written to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"phone": "+4915112345678"}]})

    phone: str = Field(max_length=80, description="The number in any writing.")


class OptOutOut(Schema):
    """One opt-out of one number, from its start to its end."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
                    "phone": "+4915112345678",
                    "channel": "sms",
                    "scope": "organization",
                    "sender": None,
                    "source": "keyword",
                    "started_at": "2026-05-01T09:00:00.000Z",
                    "ended_at": None,
                    "ended_by": None,
                }
            ]
        }
    )

    id: uuid.UUID
    phone: str | None = Field(description="null where the person was erased; the opt-out stays in force.")
    channel: str
    scope: Literal["organization", "sender"] = Field(
        description="organization: nothing you send reaches the number; sender: only what `sender` would send."
    )
    sender: str | None
    source: Literal["keyword", "twilio", "staff", "api", "import", "link", "portal"] = Field(
        description="keyword: the person replied STOP; twilio: Twilio refused the number (21610); staff: a member "
        "recorded it; api: it was recorded here; import: from a file; link: the unsubscribe link; portal: the "
        "person's own preferences."
    )
    started_at: datetime
    ended_at: datetime | None = Field(description="null while it is in force.")
    ended_by: str | None = Field(description="What ended it: keyword (START), staff or api.")


class OptOutQuery(PageQuery):
    """What the list of opt-outs can be narrowed to."""

    phone: QueryText = Field("", max_length=80, description="The number, in any writing; + may be written as %2B.")
    active: bool | None = Field(None, description="true: those in force; false: those that ended; left out: both.")


@router.get(
    "",
    response=Page[OptOutOut],
    auth=BearerKey(OPT_OUTS_READ),
    operation_id="listOptOuts",
    summary="List opt-outs",
    openapi_extra=problems(responses={200: "One page of opt-outs, newest first."}),
)
def list_opt_outs(request: HttpRequest, query: Query[OptOutQuery]) -> dict[str, Any]:
    """List opt-outs, newest first."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    rows = OptOut.objects.filter(organization=organization)
    if query.phone:
        phone = read_phone(from_address(query.phone), organization=organization, field="phone")
        rows = rows.filter(phone=phone.e164)
    if query.active is not None:
        rows = rows.filter(ended_at__isnull=query.active)
    shown, following = cut(rows, query, asked=request.GET)
    return page([_shape(one) for one in shown], following)


@router.post(
    "",
    response={201: OptOutOut, 200: OptOutOut},
    auth=BearerKey(OPT_OUTS_WRITE),
    operation_id="createOptOut",
    summary="Opt a number out",
    openapi_extra=problems(
        responses={
            201: "The opt-out, in force from now on.",
            200: "The number was opted out already; this is since when.",
        },
        headers={201: {"Location": "The address of the opt-out."}},
    ),
)
def create_opt_out(request: HttpRequest, payload: NewOptOut, response: HttpResponse) -> Status[OptOutOut]:
    """Record that nothing may be sent to a number any more, whatever sends it. A second time changes nothing."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    phone = read_phone(payload.phone, organization=organization, field="phone")
    standing, is_new = start_opt_out(
        organization, phone=phone.e164, source=OptOut.Source.API, actor=actor_of(request), ip=client_ip(request)
    )
    if not is_new:
        return Status(200, _shape(standing))
    response["Location"] = f"{request.path.rstrip('/')}/{standing.pk}"
    return Status(201, _shape(standing))


@router.get(
    "/{uuid:opt_out_id}",
    response=OptOutOut,
    auth=BearerKey(OPT_OUTS_READ),
    operation_id="getOptOut",
    summary="See an opt-out",
    openapi_extra=problems(responses={200: "The opt-out."}),
)
def get_opt_out(request: HttpRequest, opt_out_id: uuid.UUID) -> OptOutOut:
    """Return one opt-out, in force or ended."""
    return _shape(_find(request, opt_out_id))


@router.delete(
    "/{uuid:opt_out_id}",
    response={204: None},
    auth=BearerKey(OPT_OUTS_WRITE),
    operation_id="endOptOut",
    summary="End an opt-out",
    openapi_extra=problems(
        "needs_start", responses={204: "The opt-out has ended, now or before; it stays as history."}
    ),
)
def end_opt_out(request: HttpRequest, opt_out_id: uuid.UUID) -> Status[None]:
    """End an opt-out that was recorded here or by a member. What the person said by STOP only they can undo."""
    try:
        end_by_api(_find(request, opt_out_id), actor=actor_of(request), ip=client_ip(request))
    except OptOutProblem as problem:
        raise ApiProblem("needs_start", problem.message) from problem
    return Status(204, None)


def _shape(one: OptOut) -> OptOutOut:
    return OptOutOut.model_construct(
        id=one.pk,
        phone=None if is_key(one.phone) else one.phone,
        channel=one.channel,
        scope=one.scope,
        sender=one.sender or None,
        source=one.source,
        started_at=one.started_at,
        ended_at=one.ended_at,
        ended_by=one.ended_by or None,
    )


def _find(request: HttpRequest, opt_out_id: uuid.UUID) -> OptOut:
    rows = OptOut.objects.filter(organization=request.organization)  # type: ignore[attr-defined]
    found = rows.filter(pk=opt_out_id).select_related("organization").first()
    if found is None:
        raise ApiProblem("not_found", "Your organization has no opt-out of this id.")
    return found
