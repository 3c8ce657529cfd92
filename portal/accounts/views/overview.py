"""The list of portals, and how one stands: its address and QR code, on or off, who is in."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.connections.selectors import default_connection
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts import setting_up
from portal.accounts.addresses import address_of
from portal.accounts.forms import NewPortalForm
from portal.accounts.invitations import countries_with_codes
from portal.accounts.models import PortalUser
from portal.accounts.selectors import find_portals, people_by_status
from portal.accounts.setting_up import SetupProblem
from portal.forms.selectors import has_changes
from portal.forms.sharing import qr_svg

from .frame import act, context_of, portal_of


@member_page(Capability.PORTAL_PEOPLE)
def portal_list(request: MemberRequest) -> HttpResponse:
    """List the portals with how many people are in each."""
    context = {
        "title": "Portals",
        "lead": "Places that people outside your organization log into with a code on their phone.",
        "portals": [(portal, address_of(portal)) for portal in find_portals(request.organization)],
        "may_edit": request.member.can(Capability.EDIT_PORTALS),
    }
    return render(request, "portal/accounts/list.html", context)


@member_page(Capability.EDIT_PORTALS)
def portal_new(request: MemberRequest) -> HttpResponse:
    """Make a portal."""
    form = NewPortalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            portal = setting_up.create_portal(
                request.organization, name=data["name"], slug=data["slug"], actor=request.user, ip=client_ip(request)
            )
        except SetupProblem as problem:
            form.add_error(problem.part or None, problem.detail)
        else:
            messages.success(request, "The portal is made, and switched off. Look through its pages, then switch on.")
            return redirect("portals:detail", pk=portal.pk)
    context = {"title": "New portal", "form": form}
    return render(request, "portal/accounts/new.html", context, status=422 if request.method == "POST" else 200)


@member_page(Capability.PORTAL_PEOPLE)
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how the portal stands and how people get there."""
    portal = portal_of(request, pk)
    address = address_of(portal)
    people = people_by_status(portal)
    statuses = [(status, count, status.label) for status in PortalUser.Status if (count := people[status])]
    context = {
        **context_of(request, portal, tab="portals:detail"),
        "address": address,
        "qr": qr_svg(address, of="portal"),
        "countries": countries_with_codes(portal),
        "people": people,
        "statuses": statuses,
        "is_connected": default_connection(request.organization) is not None,
        "has_changes": has_changes(portal.form),
    }
    return render(request, "portal/accounts/detail.html", context)


@require_safe
@member_page(Capability.PORTAL_PEOPLE)
def qr(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give out the QR code of the portal's address, to be printed."""
    portal = portal_of(request, pk)
    svg = qr_svg(address_of(portal), of="portal", with_size=True)
    response = HttpResponse(svg, content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="portal-{portal.slug}.svg"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@member_page(Capability.EDIT_PORTALS)
@require_POST
def portal_switch(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Switch the portal on or off."""
    portal, is_on = portal_of(request, pk), request.POST.get("to") == "on"

    def verb() -> str:
        if not setting_up.switch(portal, on=is_on, actor=request.user, ip=client_ip(request)):
            raise SetupProblem(f"It was {'on' if is_on else 'off'} already: somebody else may have switched it.")
        if is_on:
            return "The portal is on. Whoever opens its link can come in, as the rules say."
        return "The portal is off. Whoever opens its link reads so; nobody can log in or register."

    return act(request, portal, verb)


@member_page(Capability.EDIT_PORTALS)
def portal_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a portal that nobody was ever in, once the member has read what that means."""
    portal = portal_of(request, pk)
    if request.method == "POST":
        try:
            setting_up.delete_portal(portal, actor=request.user, ip=client_ip(request))
        except SetupProblem as problem:
            messages.error(request, problem.detail)
            return redirect("portals:detail", pk=pk)
        messages.success(request, f"“{portal.name}” is deleted.")
        return redirect("portals:list")
    context = {
        **context_of(request, portal, tab=""),
        "title": f"Delete {portal.name}?",
        "has_people": portal.users.exists(),
    }
    return render(request, "portal/accounts/delete.html", context)
