"""What all pages of one form have in common: finding it, its tabs, and how a button answers."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


def form_of(request: MemberRequest, pk: uuid.UUID) -> PublicForm:
    """Return the form of the request's organization, or 404."""
    form = find_form(request.organization, pk)
    if form is None:
        raise Http404("There is no such form.")
    return form


def context_of(request: MemberRequest, form: PublicForm, *, tab: str) -> dict[str, Any]:
    """Return what every page of the form shows."""
    return {
        "title": form.title,
        "form_row": form,
        "tabs": [
            Tab(title, reverse(f"forms:{route}", args=[form.pk]), route == tab)
            for route, title, capability in _TABS
            if request.member.can(capability)
        ],
        "may_edit": request.member.can(Capability.EDIT_FORMS),
        "may_read": request.member.can(Capability.VIEW_SUBMISSIONS),
        "has_changes": has_changes(form),
    }


def act(
    request: MemberRequest, form: PublicForm, verb: Callable[[], str], *, then: str = "forms:detail"
) -> HttpResponse:
    """Do what a button asks for, and say on the page that follows what came of it."""
    try:
        messages.success(request, verb())
    except (BuildingProblem, PictureProblem) as problem:
        messages.error(request, str(problem))
    return redirect(then, pk=form.pk)
