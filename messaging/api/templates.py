"""Templates: read them, write them, give one a new wording."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.scopes import TEMPLATES_READ, TEMPLATES_WRITE
from messaging.templates import wording
from messaging.templates.models import Template
from messaging.templates.rendering import LONGEST_SOURCE, TemplateSyntaxProblem, parse
from messaging.templates.selectors import find_template, find_templates
from messaging.templates.wording import SavedMeanwhile, WordingProblem

from .actors import actor_of
from .documentation import problems
from .gate import BearerKey
from .pages import Page, PageQuery, cut, page
from .problems import ApiProblem, invalid

router = Router()

_EXAMPLE: dict[str, Any] = {
    "name": "Delivery today",
    "body": "Hello {{ first_name }}, your parcel arrives from {{ window }}.",
}


class NewTemplate(Schema):
    """A template to write."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    name: str = Field(min_length=1, max_length=80, description="Each name is used once.")
    body: str = Field(
        min_length=1,
        max_length=LONGEST_SOURCE,
        description='The text, with variables like {{ name }} or {{ name | "said without a name" }}.',
    )


class Wording(Schema):
    """A new wording of a template."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"body": _EXAMPLE["body"]}]})

    body: str = Field(min_length=1, max_length=LONGEST_SOURCE, description="The whole text.")
    name: str = Field("", max_length=80, description="A new name; left out, the name stays.")
    based_on: int | None = Field(
        None,
        ge=0,
        le=2_147_483_647,
        description="The version you started from. Where another text was saved since, nothing is changed (409 "
        "saved_meanwhile). Left out: your text wins.",
        examples=[None],
    )


class TemplateVariable(Schema):
    """A variable of a template."""

    name: str
    required: bool = Field(description="Whether a value must be known; false where the template has a fallback.")


class TemplateOut(Schema):
    """A template with the wording in force."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e",
                    **_EXAMPLE,
                    "version": 1,
                    "variables": [{"name": "first_name", "required": True}, {"name": "window", "required": True}],
                    "created_at": "2026-05-01T09:00:00.000Z",
                    "updated_at": "2026-05-01T09:00:00.000Z",
                    "archived_at": None,
                }
            ]
        }
    )

    id: uuid.UUID
    name: str
    body: str
    version: int = Field(description="The number of the wording; every new text counts one up.")
    variables: list[TemplateVariable]
    created_at: datetime
    updated_at: datetime = Field(description="When the wording in force was saved.")
    archived_at: datetime | None = Field(description="Since when it is out of use; null while it is in use.")


@router.get(
    "",
    response=Page[TemplateOut],
    auth=BearerKey(TEMPLATES_READ),
    operation_id="listTemplates",
    summary="List templates",
    openapi_extra=problems(responses={200: "One page of templates in use, newest first."}),
)
def list_templates(request: HttpRequest, query: Query[PageQuery]) -> dict[str, Any]:
    """List the templates in use, newest first."""
    rows: QuerySet[Template] = find_templates(request.organization)  # type: ignore[attr-defined]
    shown, following = cut(rows, query, asked=request.GET)
    return page([_shape(template) for template in shown], following)


@router.post(
    "",
    response={201: TemplateOut},
    auth=BearerKey(TEMPLATES_WRITE),
    operation_id="createTemplate",
    summary="Write a template",
    openapi_extra=problems(
        "template_exists",
        responses={201: "The template with version 1."},
        headers={201: {"Location": "The address of the template."}},
    ),
)
def create_template(request: HttpRequest, payload: NewTemplate, response: HttpResponse) -> Status[TemplateOut]:
    """Write a template. Where the name is taken, the answer names the template that has it."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    began = timezone.now()
    try:
        template = wording.create_template(
            organization, name=payload.name, body=payload.body, actor=actor_of(request), ip=client_ip(request)
        )
    except WordingProblem as problem:
        raise _explain(problem) from problem
    if template.created_at < began:  # the same text under the same name is taken for a form sent twice
        raise _exists(template)
    response["Location"] = f"{request.path.rstrip('/')}/{template.pk}"
    return Status(201, _shape(template))


@router.get(
    "/{uuid:template_id}",
    response=TemplateOut,
    auth=BearerKey(TEMPLATES_READ),
    operation_id="getTemplate",
    summary="See a template",
    openapi_extra=problems(responses={200: "The template."}),
)
def get_template(request: HttpRequest, template_id: uuid.UUID) -> TemplateOut:
    """Return one template, archived ones too."""
    return _shape(_find(request, template_id))


@router.put(
    "/{uuid:template_id}",
    response=TemplateOut,
    auth=BearerKey(TEMPLATES_WRITE),
    operation_id="rewordTemplate",
    summary="Give a template a new wording",
    openapi_extra=problems(
        "template_exists", "template_archived", "saved_meanwhile", responses={200: "The template as it is now."}
    ),
)
def reword_template(request: HttpRequest, template_id: uuid.UUID, payload: Wording) -> TemplateOut:
    """Save a wording as a new version. Messages that were written from earlier ones keep their text."""
    template = _find(request, template_id)
    current = template.current.number if template.current else 0
    try:
        wording.save_wording(
            template,
            name=payload.name or template.name,
            body=payload.body,
            based_on=current if payload.based_on is None else payload.based_on,
            actor=actor_of(request),
            ip=client_ip(request),
        )
    except WordingProblem as problem:
        raise _explain(problem) from problem
    return _shape(_find(request, template_id))


def _shape(template: Template) -> TemplateOut:
    current = template.current
    return TemplateOut.model_construct(
        id=template.pk,
        name=template.name,
        body=current.body if current else "",
        version=current.number if current else 0,
        variables=_variables(current.body) if current else [],
        created_at=template.created_at,
        updated_at=current.created_at if current else template.created_at,
        archived_at=template.archived_at,
    )


def _variables(body: str) -> list[TemplateVariable]:
    try:
        found = parse(body).variables
    except TemplateSyntaxProblem:  # a text that was saved before the rules changed
        return []
    return [TemplateVariable.model_construct(name=one.name, required=not one.has_fallback) for one in found]


def _find(request: HttpRequest, template_id: uuid.UUID) -> Template:
    template = find_template(request.organization, template_id)  # type: ignore[attr-defined]
    if template is None:
        raise ApiProblem("not_found", "Your organization has no template of this id.")
    return template


def _explain(problem: WordingProblem) -> ApiProblem:
    if isinstance(problem, SavedMeanwhile):
        version = problem.version.number
        return ApiProblem("saved_meanwhile", f"Version {version} was saved since.", more={"version": version})
    if problem.existing is not None:
        return _exists(problem.existing)
    if problem.code == "archived":
        return ApiProblem("template_archived", problem.detail)
    return invalid(problem.field, problem.code, problem.detail)


def _exists(template: Template) -> ApiProblem:
    return ApiProblem(
        "template_exists",
        "The template that `template_id` names has this name.",
        more={"template_id": str(template.pk)},
    )
