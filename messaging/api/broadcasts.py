"""Broadcasts: one text to many, handed in, checked, started, watched."""

import uuid
from collections.abc import Callable
from typing import Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.scopes import BROADCASTS_READ, BROADCASTS_WRITE
from messaging.broadcasts import creating, lifecycle
from messaging.broadcasts.creating import Plan
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.progress import progress_of, progress_of_many
from messaging.broadcasts.selectors import FIRST_PROBLEMS, find_broadcast, problem_rows
from messaging.sending.idempotency import LONGEST_KEY, once_with_result
from messaging.templates.segments import LONGEST_TEXT

from .actors import actor_of
from .broadcast_shape import (
    BroadcastDetail,
    BroadcastOut,
    BroadcastStatus,
    RecipientProblem,
    RecipientsAdded,
    shape,
    shape_detail,
    shape_problem,
)
from .checks import VariableValue
from .documentation import parameter, problems
from .gate import BearerKey
from .messages import idempotency_key, named_template
from .pages import LIMIT, MOST, Page, PageQuery, cut, page
from .problems import ApiProblem, invalid

router = Router(by_alias=True)

MOST_AT_ONCE = 10_000
_KEY = parameter(
    "Idempotency-Key",
    "Any text of at most 255 characters that is new for each request you mean to make. Holds for 24 hours: the same "
    "key with the same body never does it twice.",
    example="summer-2026",
    schema={"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
)


class RecipientIn(Schema):
    """Somebody who shall get it."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(max_length=80, description="A phone number in any writing.")
    variables: dict[str, VariableValue] = Field(
        default_factory=dict, max_length=100, description="Values for the variables of the text."
    )


class NewBroadcast(Schema):
    """A broadcast to prepare: a text or a template, and recipients."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Depot closed",
                    "body": "Hello {{ name }}, our depot is closed today.",
                    "recipients": [{"to": "+4915112345678", "variables": {"name": "Anna"}}],
                    "start": True,
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=120, description="For you and your colleagues.")
    body: str = Field(
        "", max_length=LONGEST_TEXT, description="The text, with variables in double braces; this or `template`."
    )
    template: str = Field("", max_length=80, description="The id or the name of a template.")
    purpose: Literal["transactional", "marketing"] = Field(
        "transactional", description="marketing goes only to people whose consent is on record."
    )
    recipients: list[RecipientIn] = Field(
        default_factory=list, max_length=MOST_AT_ONCE, description="At most 10,000 in one call; add more afterwards."
    )
    include_landlines: bool = Field(False, description="Send to landlines, too, where SMS hardly ever arrives.")
    start: bool = Field(
        False, description="Start as soon as the check has found nothing wrong. Otherwise `problem` says why it waits."
    )


class MoreRecipients(Schema):
    """Recipients to add to a broadcast that has not started."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"recipients": [{"to": "+4915112345679", "variables": {"name": "Ben"}}], "start": False}]
        },
    )

    recipients: list[RecipientIn] = Field(min_length=1, max_length=MOST_AT_ONCE)
    start: bool = Field(False, description="Start as soon as the check of all recipients has found nothing wrong.")


class StartQuery(Schema):
    """How to start."""

    skip_bad: bool = Field(False, description="Leave out the recipients that are wrong, and start without them.")


class BroadcastQuery(PageQuery):
    """What the list of broadcasts can be narrowed to."""

    status: BroadcastStatus | None = Field(None, description="Only broadcasts in this status.")


class ProblemQuery(Schema):
    """Where the list of wrong recipients goes on."""

    cursor: str = Field("", max_length=10, pattern=r"^[0-9]*$", description="`next` of the page before.")
    limit: int = Field(LIMIT, ge=1, le=MOST, description="How many items a page has at most.")


@router.post(
    "",
    response={202: BroadcastDetail, 200: BroadcastDetail},
    auth=BearerKey(BROADCASTS_WRITE),
    operation_id="createBroadcast",
    summary="Prepare a broadcast",
    openapi_extra=problems(
        "idempotency_key_reused",
        responses={
            202: "The broadcast was taken; its recipients are being checked.",
            200: "This Idempotency-Key was used before with the same body: the broadcast of that request as it is now.",
        },
        headers={202: {"Location": "The address of the broadcast."}},
    )
    | _KEY,
)
def create_broadcast(request: HttpRequest, payload: NewBroadcast, response: HttpResponse) -> Status[dict[str, Any]]:
    """Take a broadcast. Every recipient is checked before anything is sent; nothing is sent unless it is started."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    if payload.template and payload.body:
        raise invalid("template", "body_and_template", "Give a text or a template, not both.")

    def make() -> dict[str, Any]:
        plan = Plan(
            name=payload.name,
            audience=Broadcast.Audience.API,
            template=named_template(organization, payload.template) if payload.template else None,
            body=payload.body,
            purpose=payload.purpose,
            includes_landlines=payload.include_landlines,
            starts_when_clean=payload.start,
        )
        key = request.auth.pk  # type: ignore[attr-defined]
        actor = actor_of(request)
        broadcast = creating.create(organization, plan=plan, actor=actor, created_by_id=key, ip=client_ip(request))
        if payload.recipients:
            creating.add_recipients(broadcast, _plain(payload.recipients))
        return {"broadcast": str(broadcast.pk)}

    result, is_new = _once(request, make)
    broadcast = _find(organization, result["broadcast"])
    if is_new:
        response["Location"] = f"{request.path.rstrip('/')}/{broadcast.pk}"
    return Status(202 if is_new else 200, _detail(broadcast))


@router.get(
    "",
    response=Page[BroadcastOut],
    auth=BearerKey(BROADCASTS_READ),
    operation_id="listBroadcasts",
    summary="List broadcasts",
    openapi_extra=problems(responses={200: "One page of broadcasts, newest first."}),
)
def list_broadcasts(request: HttpRequest, query: Query[BroadcastQuery]) -> dict[str, Any]:
    """List broadcasts, those prepared on pages too, newest first."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    rows = Broadcast.objects.filter(organization=organization).select_related("template", "template_version")
    if query.status is not None:
        rows = rows.filter(status=query.status)
    shown, following = cut(rows, query, asked=request.GET)
    progress = progress_of_many(shown)
    return page([shape(broadcast, progress[broadcast.pk]) for broadcast in shown], following)


@router.get(
    "/{uuid:broadcast_id}",
    response=BroadcastDetail,
    auth=BearerKey(BROADCASTS_READ),
    operation_id="getBroadcast",
    summary="See a broadcast",
    openapi_extra=problems(responses={200: "The broadcast with its counts and how far it is."}),
)
def get_broadcast(request: HttpRequest, broadcast_id: uuid.UUID) -> dict[str, Any]:
    """Return one broadcast as it is now."""
    return _detail(_find(request.organization, broadcast_id))  # type: ignore[attr-defined]


@router.get(
    "/{uuid:broadcast_id}/problems",
    response=Page[RecipientProblem],
    auth=BearerKey(BROADCASTS_READ),
    operation_id="listBroadcastProblems",
    summary="List wrong recipients",
    openapi_extra=problems(responses={200: "One page of recipients that cannot be sent to, by their rows."}),
)
def list_broadcast_problems(
    request: HttpRequest, broadcast_id: uuid.UUID, query: Query[ProblemQuery]
) -> dict[str, Any]:
    """List what is wrong with recipients, in the order in which they were given."""
    broadcast = _find(request.organization, broadcast_id)  # type: ignore[attr-defined]
    after = min(int(query.cursor or 0), 2_147_483_647)
    found = list(problem_rows(broadcast).filter(row__gt=after)[: query.limit + 1])
    shown = found[: query.limit]
    return page([shape_problem(row) for row in shown], str(shown[-1].row) if len(found) > query.limit else None)


@router.post(
    "/{uuid:broadcast_id}/recipients",
    response={202: RecipientsAdded, 200: RecipientsAdded},
    auth=BearerKey(BROADCASTS_WRITE),
    operation_id="addRecipients",
    summary="Add recipients",
    openapi_extra=problems(
        "idempotency_key_reused", "broadcast_started", "not_by_api",
        responses={
            202: "The recipients were taken and are being checked.",
            200: "This Idempotency-Key was used before with the same body: what that request added.",
        },
    )
    | _KEY,
)  # fmt: skip
def add_recipients(request: HttpRequest, broadcast_id: uuid.UUID, payload: MoreRecipients) -> Status[dict[str, Any]]:
    """Add recipients to a broadcast that has not started. A number that was given before is left out as a duplicate."""
    broadcast = _find(request.organization, broadcast_id)  # type: ignore[attr-defined]

    def make() -> dict[str, Any]:
        first = creating.add_recipients(
            broadcast, _plain(payload.recipients), starts_when_clean=payload.start or broadcast.starts_when_clean
        )
        return {"first_row": first, "count": len(payload.recipients)}

    result, is_new = _once(request, make)
    return Status(202 if is_new else 200, result)


@router.post(
    "/{uuid:broadcast_id}/start",
    response=BroadcastDetail,
    auth=BearerKey(BROADCASTS_WRITE),
    operation_id="startBroadcast",
    summary="Start a broadcast",
    openapi_extra=problems(
        "broadcast_state", "check_running", "not_checked", "bad_rows", "nobody", "not_connected", "connection_broken",
        "no_sender", "no_route",
        responses={200: "The broadcast, which is being sent."},
    ),
)  # fmt: skip
def start_broadcast(request: HttpRequest, broadcast_id: uuid.UUID, query: Query[StartQuery]) -> dict[str, Any]:
    """Begin to send a checked broadcast. It starts once: a second start is refused."""
    broadcast = _find(request.organization, broadcast_id)  # type: ignore[attr-defined]
    actor, ip = actor_of(request), client_ip(request)
    with transaction.atomic():
        if query.skip_bad:
            lifecycle.skip_bad_rows(broadcast, actor=actor, ip=ip)
        lifecycle.start(broadcast, actor=actor, ip=ip)
    return _detail(_find(request.organization, broadcast_id))  # type: ignore[attr-defined]


@router.post(
    "/{uuid:broadcast_id}/pause",
    response=BroadcastDetail,
    auth=BearerKey(BROADCASTS_WRITE),
    operation_id="pauseBroadcast",
    summary="Pause a broadcast",
    openapi_extra=problems("broadcast_state", responses={200: "The broadcast, paused now or before."}),
)
def pause_broadcast(request: HttpRequest, broadcast_id: uuid.UUID) -> dict[str, Any]:
    """Hold what has not been handed over. Pausing it again changes nothing."""
    return _act(request, broadcast_id, lifecycle.pause, wanted=Broadcast.Status.PAUSED)


@router.post(
    "/{uuid:broadcast_id}/resume",
    response=BroadcastDetail,
    auth=BearerKey(BROADCASTS_WRITE),
    operation_id="resumeBroadcast",
    summary="Resume a broadcast",
    openapi_extra=problems(
        "broadcast_state", "not_connected", "connection_broken", "no_sender", "no_route",
        responses={200: "The broadcast, which is being sent."},
    ),
)  # fmt: skip
def resume_broadcast(request: HttpRequest, broadcast_id: uuid.UUID) -> dict[str, Any]:
    """Go on with a paused broadcast. Resuming one that runs changes nothing."""
    broadcast = _find(request.organization, broadcast_id)  # type: ignore[attr-defined]
    if broadcast.status != Broadcast.Status.RUNNING:
        lifecycle.resume(broadcast, actor=actor_of(request), ip=client_ip(request))
    return _detail(_find(request.organization, broadcast_id))  # type: ignore[attr-defined]


@router.post(
    "/{uuid:broadcast_id}/cancel",
    response=BroadcastDetail,
    auth=BearerKey(BROADCASTS_WRITE),
    operation_id="cancelBroadcast",
    summary="Cancel a broadcast",
    openapi_extra=problems("broadcast_state", responses={200: "The broadcast, canceled now or before."}),
)
def cancel_broadcast(request: HttpRequest, broadcast_id: uuid.UUID) -> dict[str, Any]:
    """End a broadcast. What is just being handed over still goes out, and is counted."""
    return _act(request, broadcast_id, lifecycle.cancel, wanted=Broadcast.Status.CANCELED)


def _act(
    request: HttpRequest, broadcast_id: uuid.UUID, act: Callable[..., bool], *, wanted: Broadcast.Status
) -> dict[str, Any]:
    """Do it; refuse where the broadcast is neither changed by it nor was in the wanted state before."""
    broadcast = _find(request.organization, broadcast_id)  # type: ignore[attr-defined]
    if not act(broadcast, actor=actor_of(request), ip=client_ip(request)) and broadcast.status != wanted:
        label = broadcast.get_status_display().lower()
        raise ApiProblem("broadcast_state", f"That cannot be done now; the broadcast is: {label}.")
    return _detail(_find(request.organization, broadcast_id))  # type: ignore[attr-defined]


def _once(request: HttpRequest, make: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """Do it once for each Idempotency-Key; the address belongs to what the key was used for."""
    key = idempotency_key(request)
    if key is None:
        with transaction.atomic():
            return make(), True
    body = {"path": request.path, "body": request.json_body}  # type: ignore[attr-defined]
    return once_with_result(request.organization, key=key, body=body, make=make)  # type: ignore[attr-defined]


def _plain(recipients: list[RecipientIn]) -> list[dict[str, Any]]:
    return [{"to": one.to, "variables": one.variables} if one.variables else {"to": one.to} for one in recipients]


def _find(organization: Organization, broadcast_id: object) -> Broadcast:
    broadcast = find_broadcast(organization, broadcast_id)
    if broadcast is None:
        raise ApiProblem("not_found", "Your organization has no broadcast of this id.")
    return broadcast


def _detail(broadcast: Broadcast) -> dict[str, Any]:
    obstacle = None
    if broadcast.status == Broadcast.Status.READY and (why := lifecycle.why_not_startable(broadcast)):
        obstacle = why.detail
    return shape_detail(
        broadcast,
        progress_of(broadcast),
        problem=broadcast.check_error or obstacle,
        problems=list(problem_rows(broadcast)[:FIRST_PROBLEMS]),
    )
