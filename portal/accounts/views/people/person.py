"""One person of a portal: what they entered, their logins and texts, and what can be done about them."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts import people
from portal.accounts.finding import find_person, find_sending
from portal.accounts.invitations import state_of
from portal.accounts.models import PortalUser
from portal.accounts.people_forms import RejectForm, RoleForm
from portal.accounts.telling import NotTold, can_go_again, outcome_of, tell_again
from portal.accounts.views.frame import context_of, portal_of
from portal.forms.public.languages import LANGUAGES
from portal.forms.views.submissions import file_response

from .answers import answers_in_words

_SHOWN = 20


@member_page(Capability.PORTAL_PEOPLE)
@require_safe
def person(request: MemberRequest, pk: uuid.UUID, person_pk: uuid.UUID) -> HttpResponse:
    """Show somebody."""
    user = _person(request, pk, person_pk)
    sendings = user.sendings.select_related("message", "notification").order_by("-at", "-pk")[:_SHOWN]
    for sending in sendings:
        sending.user = user
    invitation = user.invitations.select_related("created_by").order_by("-pk").first()
    context = {
        **context_of(request, user.portal, tab="portals:people"),
        "title": user.name or "Person without a name" if user.phone else "Erased person",
        "person": user,
        "language": LANGUAGES[user.language].name if user.language in LANGUAGES else "",
        "answers": answers_in_words(user),
        "logins": user.logins.order_by("-pk")[:_SHOWN],
        "sendings": [(one, outcome_of(one), can_go_again(one)) for one in sendings],
        "invitation": invitation,
        "invitation_state": state_of(invitation) if invitation else "",
        "devices": user.devices.count(),
        "passkeys": user.passkeys.count(),
        "sessions": user.sessions.filter(ended_at=None).count(),
        "role_form": RoleForm(portal=user.portal, initial={"role": user.role_id}),
        "reject_form": RejectForm(),
    }
    return render(request, "portal/accounts/people/person.html", context)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def person_do(request: MemberRequest, pk: uuid.UUID, person_pk: uuid.UUID) -> HttpResponse:
    """Suspend, reinstate, remove, or give a role; what has happened meanwhile is said, and stays."""
    user = _person(request, pk, person_pk)
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    deeds: dict[str, tuple[Callable[[], bool], str]] = {
        "suspend": (
            lambda: people.suspend(user, reason=request.POST.get("reason", ""), **who),
            "Suspended, and logged out everywhere.",
        ),
        "reinstate": (lambda: people.reinstate(user, **who), "Let in again. They can log in at once."),
        "remove": (lambda: people.remove(user, **who), "Taken out of the portal, and logged out everywhere."),
        "role": (lambda: _change_role(request, user, who), "The role is changed."),
    }
    deed = deeds.get(request.POST.get("do", ""))
    if deed is None:
        raise Http404("There is nothing of this name to do.")
    if deed[0]():
        messages.success(request, deed[1])
    else:
        messages.info(request, "Nothing was changed: it was so already, or somebody was quicker.")
    return redirect("portals:person", pk=pk, person_pk=person_pk)


@member_page(Capability.PORTAL_PEOPLE)
def person_erase(request: MemberRequest, pk: uuid.UUID, person_pk: uuid.UUID) -> HttpResponse:
    """Say what erasing takes with it, and erase."""
    user = _person(request, pk, person_pk)
    if not user.phone:
        return redirect("portals:person", pk=pk, person_pk=person_pk)
    if request.method == "POST":
        people.erase(user, actor=request.user, ip=client_ip(request))
        messages.success(request, "Erased. Only that somebody was there is left, for the statistics.")
        return redirect("portals:people", pk=pk)
    context = {
        **context_of(request, user.portal, tab="portals:people"),
        "title": f"Erase {user}",
        "person": user,
    }
    return render(request, "portal/accounts/people/erase.html", context)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def sending_again(request: MemberRequest, pk: uuid.UUID, person_pk: uuid.UUID, sending_pk: int) -> HttpResponse:
    """Send a text that failed once more."""
    user = _person(request, pk, person_pk)
    sending = find_sending(user.portal, sending_pk)
    if sending is None or sending.user_id != user.pk:
        raise Http404("There is no such text.")
    try:
        sent = tell_again(sending, actor=request.user, ip=client_ip(request))
    except NotTold as problem:
        messages.error(request, problem.detail)
    else:
        outcome = outcome_of(sent)
        if outcome.is_bad:
            messages.error(request, f"It could not be sent. {outcome.problem} {outcome.remedy}")
        else:
            messages.success(request, "It is on its way again.")
    return redirect("portals:person", pk=pk, person_pk=person_pk)


@require_safe
@member_page(Capability.PORTAL_PEOPLE)
def person_file(request: MemberRequest, pk: uuid.UUID, person_pk: uuid.UUID, file_pk: uuid.UUID) -> HttpResponse:
    """Give out a file that somebody sent at registration; pictures to be looked at, nothing in it acts."""
    user = _person(request, pk, person_pk)
    row = user.submission.files.filter(pk=file_pk).first() if user.submission else None
    if row is None:
        raise Http404("There is no such file.")
    return file_response(row)


def _person(request: MemberRequest, pk: uuid.UUID, person_pk: uuid.UUID) -> PortalUser:
    user = find_person(portal_of(request, pk), person_pk)
    if user is None:
        raise Http404("There is no such person.")
    return user


def _change_role(request: MemberRequest, user: PortalUser, who: dict[str, Any]) -> bool:
    form = RoleForm(request.POST, portal=user.portal)
    return form.is_valid() and people.change_role(user, role=form.cleaned_data["role"], **who)
