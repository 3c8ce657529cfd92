"""Automations and their runs: what was set off, what each step brought, and a new try."""

import uuid
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.scopes import AUTOMATIONS_READ, AUTOMATIONS_WRITE
from messaging.automations import moves
from messaging.automations.display import (
    describe_trigger,
    flow_of,
    flow_shown,
    public_values,
    title_of_node,
    verification_of,
)
from messaging.automations.events import key_of_event
from messaging.automations.models import Automation, Run, RunMessage
from messaging.automations.selectors import find_automation, find_run
from messaging.contacts.erasure.number_keys import is_key

from .actors import actor_of
from .documentation import problems
from .gate import BearerKey
from .pages import Page, PageQuery, cut, page
from .problems import ApiProblem

router = Router()

MOST_MESSAGES = 100
AutomationStatus = Literal["draft", "live", "paused", "archived"]
RunStatus = Literal["waiting", "running", "done", "failed", "stopped", "skipped"]
_AUTOMATION: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
    "name": "Two-factor login",
    "status": "live",
    "trigger": "When the webhook is called",
    "version": 3,
    "created_at": "2026-05-01T09:00:00.000Z",
    "published_at": "2026-05-02T09:00:00.000Z",
}
_RUN: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3f",
    "automation": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
    "version": 3,
    "status": "waiting",
    "is_test": False,
    "contact": None,
    "to": "+4915112345678",
    "reason": None,
    "detail": None,
    "due_at": "2026-05-02T09:10:00.000Z",
    "created_at": "2026-05-02T09:00:00.000Z",
    "started_at": "2026-05-02T09:00:00.100Z",
    "ended_at": None,
}
_STEP: dict[str, Any] = {
    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d40",
    "node": "n1",
    "kind": "verify",
    "title": "Verify the number",
    "status": "waiting",
    "attempts": 1,
    "output": {},
    "verification": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d41",
    "branch": None,
    "reason": None,
    "detail": "for the code to be entered",
    "started_at": "2026-05-02T09:00:00.100Z",
    "ended_at": None,
    "messages": [],
}


class AutomationOut(Schema):
    """An automation."""

    model_config = ConfigDict(json_schema_extra={"examples": [_AUTOMATION]})

    id: uuid.UUID
    name: str
    status: AutomationStatus = Field(description="draft, live, paused or archived; only a live one is set off.")
    trigger: str = Field(description="What sets it off, in words.")
    version: int | None = Field(description="The version that new runs use; null before it was published.")
    created_at: datetime
    published_at: datetime | None


class RunOut(Schema):
    """One time that an automation was set off."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RUN]})

    id: uuid.UUID
    automation: uuid.UUID = Field(description="The id of the automation.")
    version: int = Field(description="The version that it runs on; 0 for a draft that was tried.")
    status: RunStatus = Field(
        description="waiting, running, done, failed (try it again), stopped, or skipped: not begun, see `reason`."
    )
    is_test: bool
    contact: uuid.UUID | None = Field(description="The id of the contact that it is about.")
    to: str | None = Field(description="The number that it is about; null without one, or once it was erased.")
    reason: str | None = Field(description="A word for why it failed, was stopped or did not begin.")
    detail: str | None = Field(description="The same in words, with the next step.")
    due_at: datetime | None = Field(description="When it goes on at the latest; null once it has ended.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class RunMessageOut(Schema):
    """What a step sent to one person, or did not send."""

    message: uuid.UUID | None = Field(description="The id of the message; null where none was made.")
    status: str | None = Field(description="The status of the message as it is now.")
    reason: str | None
    detail: str | None


class RunStepOut(Schema):
    """A step that a run came to."""

    model_config = ConfigDict(json_schema_extra={"examples": [_STEP]})

    id: uuid.UUID
    node: str = Field(description="The step's id within the automation, like n1; variables name it.")
    kind: str
    title: str
    status: Literal["waiting", "acting", "done", "failed"]
    attempts: int
    output: dict[str, Any] = Field(description="What later steps may use, such as ids that your program goes on with.")
    verification: uuid.UUID | None = Field(
        description="The id of the verification that the step began: check the code with it."
    )
    branch: str | None = Field(description="The branch by which the run went on.")
    reason: str | None
    detail: str | None
    started_at: datetime
    ended_at: datetime | None
    messages: list[RunMessageOut] = Field(description="The first hundred that the run has sent, each at its step.")


class RunDetail(RunOut):
    """A run with its steps."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_RUN, "trigger": {"user": "4711"}, "steps": [_STEP]}]})

    trigger: dict[str, Any] = Field(description="What set it off brought; values that open doors are dots.")
    steps: list[RunStepOut] = Field(description="In the order in which they were done.")


class AutomationQuery(PageQuery):
    """What the list of automations can be narrowed to."""

    status: AutomationStatus | None = Field(None, description="Only automations in this status.")


class RunQuery(PageQuery):
    """What a list of runs can be narrowed to."""

    status: RunStatus | None = Field(None, description="Only runs in this status.")
    event: uuid.UUID | None = Field(
        None, description="Only the run that the event of this id set off, as `POST /events` answered it."
    )


@router.get(
    "",
    response=Page[AutomationOut],
    auth=BearerKey(AUTOMATIONS_READ),
    operation_id="listAutomations",
    summary="List automations",
    openapi_extra=problems(responses={200: "One page of automations, newest first."}),
)
def list_automations(request: HttpRequest, query: Query[AutomationQuery]) -> dict[str, Any]:
    """List automations, newest first, archived ones too."""
    rows = Automation.objects.filter(organization=_organization(request)).select_related("organization", "live")
    if query.status is not None:
        rows = rows.filter(status=query.status)
    shown, following = cut(rows, query, asked=request.GET)
    return page([_automation(automation) for automation in shown], following)


@router.get(
    "/{uuid:automation_id}/runs",
    response=Page[RunOut],
    auth=BearerKey(AUTOMATIONS_READ),
    operation_id="listRuns",
    summary="List runs of an automation",
    openapi_extra=problems(responses={200: "One page of runs, newest first."}),
)
def list_runs(request: HttpRequest, automation_id: uuid.UUID, query: Query[RunQuery]) -> dict[str, Any]:
    """List the runs of an automation, newest first; tests are among them and say so."""
    automation = find_automation(_organization(request), automation_id)
    if automation is None:
        raise ApiProblem("not_found", "Your organization has no automation of this id.")
    rows = Run.objects.filter(automation=automation).select_related("version").defer("data", "version__flow")
    if query.status is not None:
        rows = rows.filter(status=query.status)
    if query.event is not None:
        rows = rows.filter(key=key_of_event(query.event))
    shown, following = cut(rows, query, asked=request.GET)
    return page([_run(run) for run in shown], following)


@router.get(
    "/runs/{uuid:run_id}",
    response=RunDetail,
    auth=BearerKey(AUTOMATIONS_READ),
    operation_id="getRun",
    summary="See a run",
    openapi_extra=problems(responses={200: "The run with its steps as they are now."}),
)
def get_run(request: HttpRequest, run_id: uuid.UUID) -> dict[str, Any]:
    """Return one run with what each step brought: a verification's id, the ids of messages."""
    return _detail(_find(request, run_id))


@router.post(
    "/runs/{uuid:run_id}/retry",
    response=RunDetail,
    auth=BearerKey(AUTOMATIONS_WRITE),
    operation_id="retryRun",
    summary="Try a failed run again",
    openapi_extra=problems("run_state", responses={200: "The run, which goes on from the step that failed."}),
)
def retry_run(request: HttpRequest, run_id: uuid.UUID) -> dict[str, Any]:
    """Go on from the step that failed. Steps that were done are not done again."""
    run = _find(request, run_id)
    if not moves.retry(run, actor=actor_of(request), ip=client_ip(request)):
        raise _refused(run)
    return _detail(_find(request, run_id))


@router.post(
    "/runs/{uuid:run_id}/stop",
    response=RunDetail,
    auth=BearerKey(AUTOMATIONS_WRITE),
    operation_id="stopRun",
    summary="Stop a waiting run",
    openapi_extra=problems("run_state", responses={200: "The run, stopped now or before."}),
)
def stop_run(request: HttpRequest, run_id: uuid.UUID) -> dict[str, Any]:
    """End a run that waits. What it has done stays done."""
    run = _find(request, run_id)
    if not moves.stop(run, actor=actor_of(request), ip=client_ip(request)) and run.status != Run.Status.STOPPED:
        raise _refused(run)
    return _detail(_find(request, run_id))


def _organization(request: HttpRequest) -> Organization:
    return request.organization  # type: ignore[attr-defined,no-any-return]


def _find(request: HttpRequest, run_id: uuid.UUID) -> Run:
    run = find_run(_organization(request), run_id)
    if run is None:
        raise ApiProblem("not_found", "Your organization has no run of this id.")
    return run


def _refused(run: Run) -> ApiProblem:
    run.refresh_from_db(fields=["status"])
    return ApiProblem("run_state", f"That cannot be done now; the run is: {run.get_status_display().lower()}.")


def _automation(automation: Automation) -> dict[str, Any]:
    return {
        "id": automation.pk,
        "name": automation.name,
        "status": automation.status,
        "trigger": describe_trigger(automation.organization, flow_shown(automation), automation=automation),
        "version": automation.live.number if automation.live is not None else None,
        "created_at": automation.created_at,
        "published_at": automation.published_at,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "automation": run.automation_id,
        "version": run.version.number,
        "status": run.status,
        "is_test": run.is_test,
        "contact": run.contact_id,
        "to": None if not run.phone or is_key(run.phone) else run.phone,
        "reason": run.reason or None,
        "detail": run.detail or None,
        "due_at": run.due_at if run.ended_at is None else None,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


def _detail(run: Run) -> dict[str, Any]:
    flow = flow_of(run.version)
    messages: dict[uuid.UUID, list[dict[str, Any]]] = {}
    sent = RunMessage.objects.filter(run=run).select_related("message").order_by("pk")[:MOST_MESSAGES]
    for row in sent:
        messages.setdefault(row.step_id, []).append(
            {
                "message": row.message_id,
                "status": row.message.status if row.message is not None else None,
                "reason": row.reason or None,
                "detail": row.detail or None,
            }
        )
    steps = [
        {
            "id": step.pk,
            "node": step.node,
            "kind": step.kind,
            "title": title_of_node(flow.find(step.node)),
            "status": step.status,
            "attempts": step.attempts,
            "output": public_values(step.output),
            "verification": verification_of(step),
            "branch": step.branch or None,
            "reason": step.reason or None,
            "detail": step.detail or None,
            "started_at": step.started_at,
            "ended_at": step.ended_at,
            "messages": messages.get(step.pk, []),
        }
        for step in run.steps.order_by("ordinal")
    ]
    return {**_run(run), "trigger": public_values(run.data.get("trigger", {})), "steps": steps}
