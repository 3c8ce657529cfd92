"""The rules of a portal: its name and address, who may come, how one logs in, and its roles."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts import domains, offering, setting_up
from portal.accounts.forms import DomainForm, RulesForm
from portal.accounts.invitations import countries_with_codes
from portal.accounts.models import Portal
from portal.accounts.selectors import roles_of
from portal.accounts.setting_up import SetupProblem

from .frame import act, context_of, portal_of


@member_page(Capability.EDIT_PORTALS)
def rules(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the rules."""
    portal = portal_of(request, pk)
    # The form gets a portal of its own: it writes what was typed onto it, refused or not.
    form = RulesForm(request.POST or None, instance=portal_of(request, pk))
    if request.method == "POST" and form.is_valid():
        try:
            changed = setting_up.change_portal(
                portal, values=form.cleaned_data, actor=request.user, ip=client_ip(request)
            )
        except SetupProblem as problem:
            form.add_error(problem.part or None, problem.detail)
        else:
            messages.success(request, "Saved. It holds from now on." if changed else "Nothing was changed.")
            return redirect("portals:rules", pk=pk)
    return _page(request, portal, form=form, status=422 if request.method == "POST" else 200)


@member_page(Capability.EDIT_PORTALS)
@require_POST
def domain(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give the portal a domain of its own, or take it away."""
    portal, form = portal_of(request, pk), DomainForm(request.POST)
    if form.is_valid():
        try:
            wanted = form.cleaned_data["domain"]
            changed = domains.set_domain(portal, domain=wanted, actor=request.user, ip=client_ip(request))
        except SetupProblem as problem:
            form.add_error("domain", problem.detail)
        else:
            said = "Saved. Lead the domain here now, as it says there." if portal.domain else "The domain is gone."
            messages.success(request, said if changed else "Nothing was changed.")
            return redirect(f"{reverse('portals:rules', args=[pk])}#domain")
    return _page(request, portal, domain_form=form, status=422)


@member_page(Capability.EDIT_PORTALS)
@require_POST
def offers(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose which forms people find inside."""
    portal = portal_of(request, pk)
    chosen = {found for raw in request.POST.getlist("form")[:500] if (found := as_uuid(raw)) is not None}

    def verb() -> str:
        if not offering.change_offers(portal, form_ids=chosen, actor=request.user, ip=client_ip(request)):
            return "Nothing was changed."
        return "Saved. People find these forms once they are logged in."

    return act(request, portal, verb, then="portals:rules")


@member_page(Capability.EDIT_PORTALS)
@require_POST
def role_add(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a role."""
    portal = portal_of(request, pk)

    def verb() -> str:
        name = request.POST.get("name", "")
        role = setting_up.add_role(portal, name=name, actor=request.user, ip=client_ip(request))
        return f"The role “{role.name}” is there."

    return act(request, portal, verb, then="portals:rules")


@member_page(Capability.EDIT_PORTALS)
@require_POST
def role_change(request: MemberRequest, pk: uuid.UUID, role_pk: int) -> HttpResponse:
    """Rename or remove a role, or make it the one of newcomers."""
    portal = portal_of(request, pk)
    role = portal.roles.filter(pk=role_pk).first()
    if role is None:
        raise Http404("There is no such role.")
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}

    def verb() -> str:
        match request.POST.get("do"):
            case "remove":
                people = setting_up.remove_role(role, **who)
                stay = f" {people:,} people stay, without a role." if people else ""
                return f"The role “{role.name}” is gone.{stay}"
            case "default":
                setting_up.set_default_role(portal, role=role, **who)
                return f"Whoever registers from now on is “{role.name}”."
            case "no_default":
                setting_up.set_default_role(portal, role=None, **who)
                return "Whoever registers from now on has no role."
        former = role.name
        if not setting_up.rename_role(role, name=request.POST.get("name", ""), **who):
            return "Nothing was changed."
        return f"“{former}” is called “{role.name}” now."

    return act(request, portal, verb, then="portals:rules")


def _page(
    request: MemberRequest,
    portal: Portal,
    *,
    form: RulesForm | None = None,
    domain_form: DomainForm | None = None,
    status: int = 200,
) -> HttpResponse:
    offered = offering.offered_ids(portal)
    context = {
        **context_of(request, portal, tab="portals:rules"),
        "form": form or RulesForm(instance=portal),
        "domain_form": domain_form or DomainForm(initial={"domain": portal.domain or ""}),
        "our_host": urlsplit(settings.PUBLIC_BASE_URL).hostname,
        "countries": countries_with_codes(portal),
        "roles": roles_of(portal),
        "forms": [(one, one.pk in offered) for one in offering.forms_to_offer(portal)],
    }
    return render(request, "portal/accounts/rules.html", context, status=status)
