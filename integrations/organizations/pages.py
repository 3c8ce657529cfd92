"""The door of every member page: one decorator says who may enter."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from .models import Member, Organization, User
from .roles import Capability

View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """What a member page receives: a request whose organization and member are set."""

    organization: Organization
    member: Member
    user: User
    htmx: Any


def member_page(capability: Capability = Capability.VIEW) -> Callable[[View], View]:
    """Let in members whose role carries the capability; 403 in words for other roles, 404 outside an organization."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), login_url="/accounts/login/")
            if request.member is None:
                raise Http404("There is no such page.")
            if not request.member.can(capability):
                return refuse(request, capability)
            return view(request, *args, **kwargs)

        guarded.capability = capability  # type: ignore[attr-defined]
        return guarded

    return decorate


def operator_page(view: View) -> View:
    """Let in operators of the installation; everybody else gets 404, because the page is not for them to know of."""

    @functools.wraps(view)
    def guarded(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), login_url="/accounts/login/")
        if not request.user.is_operator:
            raise Http404("There is no such page.")
        return view(request, *args, **kwargs)

    guarded.is_operator_page = True  # type: ignore[attr-defined]
    return guarded


def refuse(request: HttpRequest, capability: Capability) -> HttpResponse:
    """Answer 403 with the sentence that says which role would be needed."""
    context = {"title": "Not with your role", "capability": capability}
    return render(request, "integrations/organizations/not_allowed.html", context, status=403)
