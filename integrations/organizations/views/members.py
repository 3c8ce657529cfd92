"""Members of an organization: the list, a member's role and phone number, one's own, removal, leaving."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.organizations.forms import PhoneForm, RoleForm
from integrations.organizations.listing import page_of, plain_search
from integrations.organizations.membership import (
    change_role,
    leave,
    may_set_phone,
    may_touch,
    remove_member,
    roles_within_reach,
    set_phone,
)
from integrations.organizations.models import ApiKey, Member
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.registry import writers_to
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from integrations.organizations.selectors import invitations_waiting, member_rows
from integrations.phones import pretty


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_MEMBERS)
def members(request: MemberRequest) -> HttpResponse:
    """List the members, and who is invited; a search arrives by POST, because a number must not stand in an address."""
    key = key_of(request)
    if request.method == "POST":
        search = plain_search(request.POST.get("q", ""))
        key = remember(request, wanted={"q": search}, key=key)
        address = reverse("organizations:members") + (f"?search={key}" if key else "")
        if not request.htmx:
            return redirect(address)
    else:
        search = recall(request, key=key).get("q", "")
    context = {
        "title": "Members",
        "lead": "Who may enter, what each may do, and where your automations text them.",
        "q": search,
        "key": key,
        "page": page_of(request, member_rows(request.organization, search=search)),
    }
    if request.method == "POST":
        response = render(request, "integrations/organizations/_members.html", context)
        response["HX-Replace-Url"] = address
        return response
    context["invitations"] = list(invitations_waiting(request.organization))
    return render(request, "integrations/organizations/members.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_MEMBERS)
def member(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show a member and change the role."""
    row = _member_or_404(request, pk)
    form = RoleForm(request.POST or None, roles=roles_within_reach(request.member), initial={"role": row.role})
    if request.method == "POST" and form.is_valid():
        try:
            row = change_role(row, role=form.cleaned_data["role"], actor=request.member, ip=client_ip(request))
        except OrganizationProblem as problem:
            form.add_problem(problem)
        else:
            messages.success(request, f"{row.user} has the role {row.get_role_display()} now.")
            still_here = row.pk != request.member.pk or row.can(Capability.MANAGE_MEMBERS)
            return redirect("organizations:members" if still_here else "home")
    context = {**_context_of(request, row), "form": form}
    return render(request, "integrations/organizations/member.html", context)


@member_page(Capability.MANAGE_MEMBERS)
@require_POST
def phone(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Write down, change or remove a member's phone number."""
    row = _member_or_404(request, pk)
    form = PhoneForm(request.POST, organization=request.organization)
    if _keep_phone(request, row, form):
        return redirect("organizations:members")
    role = RoleForm(roles=roles_within_reach(request.member), initial={"role": row.role})
    context = {**_context_of(request, row), "form": role, "phone_form": form}
    return render(request, "integrations/organizations/member.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.VIEW)
def me(request: MemberRequest) -> HttpResponse:
    """Show one's own place in the organization, and write down one's own phone number."""
    form = PhoneForm(request.POST, organization=request.organization) if request.method == "POST" else None
    if form is not None and _keep_phone(request, request.member, form):
        return redirect("organizations:me")
    context = _context_of(request, request.member) | {"title": "Your phone number"}
    if form is not None:
        context["phone_form"] = form
    return render(request, "integrations/organizations/me.html", context, status=200 if form is None else 422)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_MEMBERS)
def remove(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Ask, then remove a member."""
    row = _member_or_404(request, pk)
    if row.pk == request.member.pk:
        return redirect("organizations:leave")
    problem: OrganizationProblem | None = None
    if request.method == "POST":
        try:
            remove_member(row, actor=request.member, ip=client_ip(request))
        except OrganizationProblem as refused:
            problem = refused
        else:
            messages.success(request, f"{row.user} no longer belongs to {request.organization.name}.")
            return redirect("organizations:members")
    context = {
        "title": f"Remove {row.user}",
        "row": row,
        "problem": problem,
        "may_change": may_touch(request.member, row),
        "writers": writers_to(row),
        "live_keys": ApiKey.objects.filter(
            organization=request.organization, created_by=row.user, revoked_at=None
        ).count(),
    }
    return render(request, "integrations/organizations/member_remove.html", context, status=409 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.VIEW)
def leave_organization(request: MemberRequest) -> HttpResponse:
    """Ask, then end one's own membership."""
    problem: OrganizationProblem | None = None
    if request.method == "POST":
        try:
            leave(request.member, ip=client_ip(request))
        except OrganizationProblem as refused:
            problem = refused
        else:
            messages.success(request, f"You have left {request.organization.name}.")
            return redirect("/organizations/")
    context = {"title": f"Leave {request.organization.name}", "problem": problem}
    return render(request, "integrations/organizations/leave.html", context, status=409 if problem else 200)


def _member_or_404(request: MemberRequest, pk: UUID) -> Member:
    rows = Member.objects.select_related("user", "organization")
    return get_object_or_404(rows, pk=pk, organization=request.organization)


def _context_of(request: MemberRequest, row: Member) -> dict[str, Any]:
    """Return what pages of one member show; `phone_form` holds the number as it is."""
    return {
        "title": str(row.user),
        "row": row,
        "is_mine": row.pk == request.member.pk,
        "may_change": may_touch(request.member, row),
        "may_set_phone": may_set_phone(request.member, row),
        "phone_form": PhoneForm(initial={"phone": pretty(row.phone)}, organization=request.organization),
        "writers": writers_to(row),
    }


def _keep_phone(request: MemberRequest, row: Member, form: PhoneForm) -> bool:
    """Keep the number of a form; False where the form says what is wrong with it."""
    if not form.is_valid():
        return False
    try:
        row = set_phone(row, phone=form.cleaned_data["phone"], actor=request.member, ip=client_ip(request))
    except OrganizationProblem as problem:
        form.add_problem(problem)
        return False
    whose = "Your phone number" if row.pk == request.member.pk else f"The phone number of {row.user}"
    messages.success(request, f"{whose} is saved." if row.phone else f"{whose} is removed.")
    return True
