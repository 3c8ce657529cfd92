"""Invitations: the list, one by hand, sending again and taking back."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts import invitations
from portal.accounts.batch_models import PortalInvitationBatch
from portal.accounts.finding import STATES, find_invitation, page_of_invitations
from portal.accounts.invitations import InvitationRefused, state_of
from portal.accounts.models import PortalInvitation
from portal.accounts.people_forms import InviteForm
from portal.accounts.views.frame import context_of, portal_of

_STATES = [("", "All"), ("open", "Open"), ("used", "Accepted"), ("expired", "Expired"), ("revoked", "Taken back")]


@member_page(Capability.PORTAL_PEOPLE)
@require_safe
def invitation_list(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List the invitations, and the last batches of many."""
    portal = portal_of(request, pk)
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    page = page_of_invitations(portal, state=state, after=request.GET.get("after"))
    context = {
        **context_of(request, portal, tab="portals:invitations"),
        "rows": [(invitation, state_of(invitation)) for invitation in page.rows],
        "page": page,
        "state": state,
        "states": _STATES,
        "batches": PortalInvitationBatch.objects.filter(portal=portal).select_related("job").order_by("-pk")[:5],
    }
    return render(request, "portal/accounts/people/invitations.html", context)


@member_page(Capability.PORTAL_PEOPLE)
def invite(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Invite one number."""
    portal = portal_of(request, pk)
    form = InviteForm(request.POST or None, portal=portal)
    if request.method == "POST" and form.is_valid():
        try:
            invitation = invitations.invite(
                portal,
                phone=form.cleaned_data["phone"],
                name=form.cleaned_data["name"],
                **form.given,
                source=PortalInvitation.Source.HAND,
                actor=request.user,
                ip=client_ip(request),
            )
        except InvitationRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.detail)
        else:
            messages.success(request, f"{invitation.user} is invited. The SMS is on its way.")
            return redirect("portals:invitations", pk=pk)
    context = {
        **context_of(request, portal, tab="portals:invitations"),
        "title": "Invite somebody",
        "form": form,
    }
    return render(request, "portal/accounts/people/invite.html", context, status=422 if form.errors else 200)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def invitation_resend(request: MemberRequest, pk: uuid.UUID, invitation_pk: uuid.UUID) -> HttpResponse:
    """Send an invitation again."""
    return _do(
        request,
        _invitation(request, pk, invitation_pk),
        invitations.resend,
        "Sent again. The link, the same one, holds as long as that of a new invitation.",
    )


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def invitation_revoke(request: MemberRequest, pk: uuid.UUID, invitation_pk: uuid.UUID) -> HttpResponse:
    """Take an invitation back."""
    return _do(
        request,
        _invitation(request, pk, invitation_pk),
        invitations.revoke,
        "Taken back. Whoever opens the link reads that it does not work any more.",
    )


def _do(
    request: MemberRequest, invitation: PortalInvitation, verb: Callable[..., PortalInvitation], said: str
) -> HttpResponse:
    try:
        verb(invitation, actor=request.user, ip=client_ip(request))
    except InvitationRefused as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, said)
    if request.POST.get("back") == "person":
        return redirect("portals:person", pk=invitation.portal_id, person_pk=invitation.user_id)
    return redirect("portals:invitations", pk=invitation.portal_id)


def _invitation(request: MemberRequest, pk: uuid.UUID, invitation_pk: uuid.UUID) -> PortalInvitation:
    found = find_invitation(portal_of(request, pk), invitation_pk)
    if found is None:
        raise Http404("There is no such invitation.")
    return found
