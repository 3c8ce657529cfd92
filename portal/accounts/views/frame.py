"""What all pages of one portal have in common: finding it, its tabs, and how a button answers."""

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from integrations.organizations.pages import MemberRequest
from integrations.organizations.roles import Capability
from portal.accounts.models import Portal
from portal.accounts.offering import OfferRefused
from portal.accounts.selectors import find_portal, find_portal_of_form
from portal.accounts.setting_up import SetupProblem
from portal.accounts.texts import TextRefused
from portal.forms.models import PublicForm

# The pages of a portal in their order. Those of its form are the forms room's own, mounted in this frame.
FORM_PAGES = "portal_forms"
_TABS: tuple[tuple[str, str, Capability], ...] = (
    ("portals:detail", "Overview", Capability.PORTAL_PEOPLE),
    ("forms:build", "Questions", Capability.EDIT_PORTALS),
    ("forms:look", "Look", Capability.EDIT_PORTALS),
    ("portals:texts", "Texts", Capability.EDIT_PORTALS),
    ("portals:terms", "Terms", Capability.EDIT_PORTALS),
    ("portals:rules", "Rules", Capability.EDIT_PORTALS),
    ("portals:people", "People", Capability.PORTAL_PEOPLE),
    ("portals:approvals", "Approvals", Capability.PORTAL_PEOPLE),
    ("portals:invitations", "Invitations", Capability.PORTAL_PEOPLE),
    ("portals:notifications", "Notifications", Capability.PORTAL_PEOPLE),
    ("portals:statistics", "Statistics", Capability.PORTAL_PEOPLE),
)


class Tab(NamedTuple):
    """A page of the portal."""

    title: str
    link: str
    is_current: bool


def portal_of(request: MemberRequest, pk: uuid.UUID) -> Portal:
    """Return the portal of the request's organization, or 404."""
    portal = find_portal(request.organization, pk)
    if portal is None:
        raise Http404("There is no such portal.")
    return portal


def context_of(request: MemberRequest, portal: Portal, *, tab: str) -> dict[str, Any]:
    """Return what every page of the portal shows; `tab` is the route of the page."""
    return {
        "title": portal.name,
        "portal": portal,
        "tabs": [
            Tab(title, _link(portal, route), route == tab)
            for route, title, capability in _TABS
            if request.member.can(capability)
        ],
        "pages_of": "portal",
        "may_edit": request.member.can(Capability.EDIT_PORTALS),
    }


def frame_of_form(request: MemberRequest, form: PublicForm, tab: str) -> dict[str, Any]:
    """Return the same for a page of the forms room that shows the portal's form."""
    portal = find_portal_of_form(request.organization, form)
    if portal is None:
        raise Http404("There is no such portal.")
    return context_of(request, portal, tab=f"forms:{tab}")


def act(
    request: MemberRequest, portal: Portal, verb: Callable[[], str], *, then: str = "portals:detail"
) -> HttpResponse:
    """Do what a button asks for, and say on the page that follows what came of it."""
    try:
        messages.success(request, verb())
    except (SetupProblem, TextRefused, OfferRefused) as problem:
        messages.error(request, str(problem))
    return redirect(then, pk=portal.pk)


def _link(portal: Portal, route: str) -> str:
    if route.startswith("forms:"):
        return reverse(route, args=[portal.form_id], current_app=FORM_PAGES)
    return reverse(route, args=[portal.pk])
