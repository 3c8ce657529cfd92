"""The operator's pages: organizations of the installation."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.organizations import operating
from integrations.organizations.forms import NewOrganizationForm, SuspendForm
from integrations.organizations.invitation_mail import send_invitation
from integrations.organizations.listing import page_of, search_words
from integrations.organizations.models import Invitation, Organization
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, operator_page
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.roles import Role
from integrations.organizations.selectors import members_of, operator_rows

from .audit import log_context


@require_safe
@operator_page
def organizations(request: MemberRequest) -> HttpResponse:
    """List all organizations."""
    search, status = search_words(request), request.GET.get("status", "")
    return _page(
        request,
        "operator/list.html",
        title="Organizations",
        lead="Everybody who uses this installation.",
        search=search,
        status=status,
        statuses=Organization.Status.choices,
        page=page_of(request, operator_rows(search=search, status=status)),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@operator_page
def new(request: MemberRequest) -> HttpResponse:
    """Create an organization and give it an owner, both or neither."""
    form = NewOrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        email, ip = values.pop("owner_email"), client_ip(request)
        try:
            with transaction.atomic():
                organization = operating.create_organization(**values, actor=request.user, ip=ip)
                owner, link = operating.give_owner(organization, email=email, actor=request.user, ip=ip)
        except OrganizationProblem as problem:
            form.add_problem(problem)
        else:
            if isinstance(owner, Invitation) and link:
                return _invited(request, owner, link)
            messages.success(request, f"{organization.name} is there; {owner} owns it.")
            return redirect("organizations:operator_detail", slug=organization.slug)
    return _page(request, "operator/new.html", title="New organization", form=form)


@require_safe
@operator_page
def detail(request: MemberRequest, slug: str) -> HttpResponse:
    """Show one organization: owners, state, what happened to it."""
    row = get_object_or_404(Organization, slug=slug)
    members = members_of(row)
    return _page(
        request,
        "operator/detail.html",
        title=row.name,
        row=row,
        owners=list(members.filter(role=Role.OWNER)),
        member_count=members.count(),
        form=SuspendForm(),
        log=log_context(request, row),
    )


@require_POST
@operator_page
def suspend(request: MemberRequest, slug: str) -> HttpResponse:
    """Suspend an organization, saying why."""
    row = get_object_or_404(Organization, slug=slug)
    form = SuspendForm(request.POST)
    if not form.is_valid():
        return _page(request, "operator/suspend.html", title=f"Suspend {row.name}", row=row, form=form)
    if operating.suspend(row, reason=form.cleaned_data["reason"], actor=request.user, ip=client_ip(request)):
        messages.success(request, f"{row.name} is suspended: its pages, its API keys and its sending have stopped.")
    return redirect("organizations:operator_detail", slug=slug)


@require_POST
@operator_page
def reactivate(request: MemberRequest, slug: str) -> HttpResponse:
    """Let an organization go on."""
    row = get_object_or_404(Organization, slug=slug)
    if operating.reactivate(row, actor=request.user, ip=client_ip(request)):
        messages.success(request, f"{row.name} is active again.")
    return redirect("organizations:operator_detail", slug=slug)


@require_safe
@operator_page
def audit_log(request: MemberRequest) -> HttpResponse:
    """Show what belongs to no organization: passwords and second factors of the installation's people."""
    return _page(
        request,
        "audit.html",
        title="Account log",
        lead="Changes of people's own sign-in, which belong to no organization.",
        **log_context(request, None),
    )


def _invited(request: MemberRequest, invitation: Invitation, link: str) -> HttpResponse:
    return _page(
        request,
        "invited.html",
        title=f"{invitation.organization.name} is there, its owner is invited",
        invitation=invitation,
        link=link,
        is_sent=send_invitation(invitation, link=link),
        is_operator_page=True,
    )


def _page(request: MemberRequest, template: str, **context: Any) -> HttpResponse:
    """Render inside the shell, whose frame the context processor adds only within an organization."""
    frame = admin.site.each_context(request)
    return render(request, f"integrations/organizations/{template}", {**frame, **context})
