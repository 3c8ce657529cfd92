"""A sentence in the place of a draft or a version that this version of the product cannot read."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integrations.organizations.pages import MemberRequest
from integrations.organizations.roles import Capability
from messaging.automations.publishing import Unreadable

from .finding import automation_of

Given = ParamSpec("Given")
View = Callable[Concatenate[MemberRequest, uuid.UUID, Given], HttpResponse]


def says_unreadable(view: View[Given]) -> View[Given]:
    """Say so where the view meets such a flow; a part of the page asks for the whole one, which says it."""

    @wraps(view)
    def shown(request: MemberRequest, pk: uuid.UUID, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
        try:
            return view(request, pk, *args, **kwargs)
        except Unreadable as problem:
            if request.htmx:
                response = HttpResponse(status=204)
                response["HX-Redirect"] = reverse("automations:build", args=[pk])
                return response
            automation = automation_of(request, pk)
            context = {
                "title": automation.name,
                "automation": automation,
                "tab": "build",
                "problem": problem,
                "may_edit": request.member.can(Capability.EDIT_AUTOMATIONS),
            }
            return render(request, "messaging/automations/unreadable.html", context, status=409)

    return shown
