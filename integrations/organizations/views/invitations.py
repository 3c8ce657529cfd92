"""Invitations: sent by a member, opened by whoever holds the link."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.organizations.forms import InviteForm
from integrations.organizations.invitation_mail import send_invitation
from integrations.organizations.invitations import State, accept, find_by_token, invite, revoke, send_again, state_of
from integrations.organizations.membership import roles_within_reach
from integrations.organizations.middleware import LAST_ORGANIZATION
from integrations.organizations.models import Invitation, User, as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.roles import ROLE_HELP, Capability
from integrations.organizations.sign_in import INVITATION_IN_SESSION, remember_invitation


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_MEMBERS)
def new(request: MemberRequest) -> HttpResponse:
    """Invite somebody; the answer to the form is the only page that ever shows the link."""
    form = InviteForm(request.POST or None, roles=roles_within_reach(request.member))
    if request.method == "POST" and form.is_valid():
        try:
            invitation, link = invite(
                request.organization,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                actor=request.member,
                ip=client_ip(request),
            )
        except OrganizationProblem as problem:
            form.add_problem(problem)
        else:
            return _show_link(request, invitation, link)
    context = {"title": "Invite a member", "form": form}
    return render(request, "integrations/organizations/invite.html", context)


@never_cache
@require_POST
@member_page(Capability.MANAGE_MEMBERS)
def resend(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Send an invitation again, with a new link."""
    invitation = get_object_or_404(Invitation, pk=pk, organization=request.organization)
    try:
        invitation, link = send_again(invitation, actor=request.member, ip=client_ip(request))
    except OrganizationProblem as problem:
        messages.error(request, problem.detail)
        return redirect("organizations:members")
    return _show_link(request, invitation, link)


@require_POST
@member_page(Capability.MANAGE_MEMBERS)
def take_back(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Revoke an invitation."""
    invitation = get_object_or_404(Invitation, pk=pk, organization=request.organization)
    try:
        revoke(invitation, actor=request.member, ip=client_ip(request))
    except OrganizationProblem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, f"The invitation of {invitation.email} was taken back; its link no longer works.")
    return redirect("organizations:members")


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address: remember the invitation in the session and go on to a clean page."""
    remember_invitation(request, find_by_token(token))
    return redirect("/invitations/accept/")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_page(request: HttpRequest) -> HttpResponse:
    """Show the invitation of this session and accept it."""
    pk = as_uuid(request.session.get(INVITATION_IN_SESSION))
    rows = Invitation.objects.select_related("organization", "invited_by")
    invitation = rows.filter(pk=pk).first() if pk else None
    if request.method == "POST" and invitation is not None and request.user.is_authenticated:
        try:
            member = accept(invitation.pk, user=request.user, ip=client_ip(request))
        except OrganizationProblem:
            return redirect("/invitations/accept/")  # the page says what is in the way
        request.session.pop(INVITATION_IN_SESSION, None)
        request.session[LAST_ORGANIZATION] = member.organization.slug
        messages.success(request, f"Welcome to {member.organization.name}.")
        return redirect(f"/o/{member.organization.slug}/")
    my_address = request.user.email.lower() if isinstance(request.user, User) else ""
    context = {
        "title": "Invitation",
        "invitation": invitation,
        "state": state_of(invitation) if invitation else "",
        "role_help": ROLE_HELP[invitation.role] if invitation else "",
        "is_for_me": invitation is not None and my_address == invitation.email.lower(),
    }
    status = 200 if invitation is not None and state_of(invitation) is State.OPEN else 410
    return render(request, "integrations/organizations/invitation.html", context, status=status)


def _show_link(request: MemberRequest, invitation: Invitation, link: str) -> HttpResponse:
    is_sent = send_invitation(invitation, link=link)
    context = {"title": "Invitation sent", "invitation": invitation, "link": link, "is_sent": is_sent}
    if not is_sent:
        context["title"] = "Invitation made, letter not sent"
    return render(request, "integrations/organizations/invited.html", context)
