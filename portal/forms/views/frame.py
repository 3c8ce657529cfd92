"""What all pages of one form have in common: finding it, its tabs, and how a button answers.

The pages may be mounted once more, under another instance namespace, for forms that serve something else: these are
found there only, stand in that room's frame, and every link stays there.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from integrations.organizations.pages import MemberRequest
from integrations.organizations.roles import Capability
from portal.forms.building import BuildingProblem
from portal.forms.models import PublicForm
from portal.forms.pictures import PictureProblem
from portal.forms.selectors import find_form, has_changes

_TABS = (
    ("detail", "Overview", Capability.VIEW),
    ("build", "Questions", Capability.EDIT_FORMS),
    ("look", "Words and looks", Capability.EDIT_FORMS),
    ("rules", "Rules", Capability.EDIT_FORMS),
    ("submissions", "Submissions", Capability.VIEW_SUBMISSIONS),
)


@dataclass(frozen=True)
class Tab:
    """A page of the form."""

    title: str
    link: str
    is_current: bool


class Mount(NamedTuple):
    """A place where these pages stand: for which forms, and what every page shows there."""

    serves: str
    frame: Callable[[MemberRequest, PublicForm, str], Mapping[str, Any]]


_mounts: dict[str, Mount] = {}


def register_mount(namespace: str, *, serves: str, frame: Callable[..., Mapping[str, Any]]) -> None:
    """Let an upper room show the pages as its own; use it in `AppConfig.ready()`."""
    _mounts[namespace] = Mount(serves, frame)


def link(request: MemberRequest, page: str, *args: Any) -> str:
    """Return the address of a page of the room, in the mount of the request; templates find it by themselves."""
    return reverse(f"forms:{page}", args=args, current_app=_namespace(request))


def form_of(request: MemberRequest, pk: uuid.UUID) -> PublicForm:
    """Return the form of the request's organization, or 404."""
    mount = _mounts.get(_namespace(request))
    form = find_form(request.organization, pk, serves=mount.serves if mount else PublicForm.Serves.PUBLIC)
    if form is None:
        raise Http404("There is no such form.")
    return form


def context_of(request: MemberRequest, form: PublicForm, *, tab: str) -> dict[str, Any]:
    """Return what every page of the form shows."""
    mount = _mounts.get(_namespace(request))
    frame = mount.frame(request, form, tab) if mount else _frame(request, form, tab)
    return {
        "title": form.title,
        "form_row": form,
        "may_edit": request.member.can(Capability.EDIT_FORMS),
        "may_read": request.member.can(Capability.VIEW_SUBMISSIONS),
        "has_changes": has_changes(form),
        **frame,
    }


def act(request: MemberRequest, form: PublicForm, verb: Callable[[], str], *, then: str = "detail") -> HttpResponse:
    """Do what a button asks for, and say on the page that follows what came of it."""
    try:
        messages.success(request, verb())
    except (BuildingProblem, PictureProblem) as problem:
        messages.error(request, str(problem))
    return redirect(link(request, then, form.pk))


def _frame(request: MemberRequest, form: PublicForm, tab: str) -> dict[str, Any]:
    tabs = [
        Tab(title, link(request, route, form.pk), route == tab)
        for route, title, capability in _TABS
        if request.member.can(capability)
    ]
    return {"tabs": tabs, "pages_of": "form"}


def _namespace(request: MemberRequest) -> str:
    return request.resolver_match.namespace if request.resolver_match else ""
