"""Members of an organization: the list, a member's role, removal, leaving."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from integrations.organizations.forms import RoleForm
from integrations.organizations.listing import page_of, search_words
from integrations.organizations.membership import change_role, leave, may_touch, remove_member, roles_within_reach
from integrations.organizations.models import ApiKey, Member
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.roles import Capability
from integrations.organizations.selectors import invitations_waiting, member_rows


@require_safe
@member_page(Capability.MANAGE_MEMBERS)
def members(request: MemberRequest) -> HttpResponse:
    """List the members, and who is invited."""
    search = search_words(request)
    context = {
        "title": "Members",
        "lead": "Who may enter, and what each may do.",
        "search": search,
        "page": page_of(request, member_rows(request.organization, search=search)),
        "invitations": list(invitations_waiting(request.organization)),
    }
    return render(request, "integrations/organizations/members.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_MEMBERS)
def member(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show a member and change the role."""
    row = _member_or_404(request, pk)
    is_mine = row.pk == request.member.pk
    may_change = may_touch(request.member, row)
    form = RoleForm(request.POST or None, roles=roles_within_reach(request.member), initial={"role": row.role})
    if request.method == "POST" and form.is_valid():
        try:
            row = change_role(row, role=form.cleaned_data["role"], actor=request.member, ip=client_ip(request))
        except OrganizationProblem as problem:
            form.add_problem(problem)
        else:
            messages.success(request, f"{row.user} has the role {row.get_role_display()} now.")
            still_here = not is_mine or row.can(Capability.MANAGE_MEMBERS)
            return redirect("organizations:members" if still_here else "home")
    context = {"title": str(row.user), "row": row, "form": form, "is_mine": is_mine, "may_change": may_change}
    return render(request, "integrations/organizations/member.html", context)


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
