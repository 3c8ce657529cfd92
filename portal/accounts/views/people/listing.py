"""The people of a portal: the list, its export, and the queue of those who wait."""

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from messaging.contacts.filters import count_up_to
from portal.accounts import people
from portal.accounts.exporting import find_export, newest_export, start_export
from portal.accounts.finding import (
    PersonFilter,
    latest_invitations,
    page_of_people,
    page_of_waiting,
    people_of,
)
from portal.accounts.invitations import state_of
from portal.accounts.models import Portal, PortalUser
from portal.accounts.people_forms import PeopleFilterForm, RejectForm
from portal.accounts.views.frame import context_of, portal_of
from portal.forms.exporting import download

from .answers import answers_in_words

_WAITING = PersonFilter(status=PortalUser.Status.WAITING)
MOST_AT_ONCE = 100


@member_page(Capability.PORTAL_PEOPLE)
def person_list(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List the people; what is looked for arrives by POST, because a number must not stand in an address."""
    portal, key = portal_of(request, pk), key_of(request)
    asked = PeopleFilterForm(request.POST, portal=portal) if request.method == "POST" else None
    if asked is not None and asked.is_valid():
        written = json.dumps(asked.wanted.as_json()) if not asked.wanted.is_empty else ""
        return redirect(_address(portal, remember(request, wanted={"people": written}, key=key)))
    wanted = _wanted(request, key) if asked is None else PersonFilter()
    page = page_of_people(portal, wanted, after=request.GET.get("after"))
    invitations = latest_invitations([user for user in page.rows if user.status == PortalUser.Status.INVITED])
    context = {
        **context_of(request, portal, tab="portals:people"),
        "filter_form": asked or PeopleFilterForm(portal=portal, shows=wanted),
        "rows": [(user, state_of(invitations[user.pk]) if user.pk in invitations else "") for user in page.rows],
        "page": page,
        "count": count_up_to(people_of(portal, wanted)),
        "search": key if key and not wanted.is_empty else "",
        "shown_status": request.GET.get("status", ""),
        "is_narrowed": not wanted.is_empty,
        "export": newest_export(portal, actor=request.user),
    }
    return render(request, "portal/accounts/people/list.html", context, status=422 if asked is not None else 200)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def export(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin to write the people of the list into a table."""
    portal, key = portal_of(request, pk), request.POST.get("search", "")
    if key and not recall(request, key=key).get("people"):
        messages.error(request, "What you looked for is not remembered any more. Search again, then export.")
        return redirect("portals:people", pk=pk)
    start_export(portal, _recalled(request, key), actor=request.user, ip=client_ip(request))
    return redirect(_address(portal, key))


@require_safe
@member_page(Capability.PORTAL_PEOPLE)
def export_download(request: MemberRequest, pk: uuid.UUID, export_pk: uuid.UUID) -> HttpResponseBase:
    """Give out a table that is written."""
    row = find_export(portal_of(request, pk), export_pk)
    if row is None:
        raise Http404("There is no such table, or it is not finished.")
    return download(row)


@require_safe
@member_page(Capability.PORTAL_PEOPLE)
def approvals(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show who waits, with what they entered, whoever has waited longest first."""
    portal = portal_of(request, pk)
    page = page_of_waiting(portal, after=request.GET.get("after"))
    context = {
        **context_of(request, portal, tab="portals:approvals"),
        "rows": [(user, answers_in_words(user)) for user in page.rows],
        "page": page,
        "count": count_up_to(people_of(portal, _WAITING)),
        "form": RejectForm(),
    }
    return render(request, "portal/accounts/people/approvals.html", context)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def decide(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Approve or reject one or several; what somebody else decided meanwhile stays."""
    portal = portal_of(request, pk)
    chosen = [key for key in map(as_uuid, request.POST.getlist("person")) if key is not None][:MOST_AT_ONCE]
    users = list(
        PortalUser.objects.filter(portal=portal, pk__in=chosen)
        .select_related("portal__organization", "portal__form", "contact")
        .order_by("pk")
    )
    if not users:
        messages.error(request, "Choose at least one person first.")
        return redirect("portals:approvals", pk=pk)
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    if request.POST.get("do") == "approve":
        done = people.approve(users, **who)
        said = f"{_people(len(done))} approved. Each gets an SMS."
    else:
        form = RejectForm(request.POST)
        reason = form.cleaned_data["reason"] if form.is_valid() else request.POST.get("reason", "")[:300]
        done = people.reject(users, reason=reason, **who)
        said = f"{_people(len(done))} rejected. Each gets an SMS{' with your reason' if reason.strip() else ''}."
    if done:
        messages.success(request, said)
    if missed := len(users) - len(done):
        messages.info(request, f"{_people(missed)} had been decided about already, which stays.")
    _warn_of_untold(request, done)
    return redirect("portals:approvals", pk=pk)


def _warn_of_untold(request: MemberRequest, users: list[PortalUser]) -> None:
    """Say at once where a text could not go out; their page says why, and sends it again."""
    untold = [user for user in users if user.sendings.filter(message=None).exclude(problem_code="").exists()]
    blocked = [user for user in users if user.sendings.filter(message__status="blocked").exists()]
    for user in [*untold, *blocked][:5]:
        messages.warning(request, f"The text to {user} could not be sent. Their page says why.")


def _people(count: int) -> str:
    return "1 person was" if count == 1 else f"{count:,} people were"


def _wanted(request: MemberRequest, key: str) -> PersonFilter:
    if key:
        return _recalled(request, key)
    return PersonFilter.from_json({"status": request.GET.get("status", "")})


def _recalled(request: MemberRequest, key: str) -> PersonFilter:
    stored = recall(request, key=key).get("people", "") if key else ""
    return PersonFilter.from_json(json.loads(stored)) if stored else PersonFilter()


def _address(portal: Portal, key: str) -> str:
    address = reverse("portals:people", args=[portal.pk])
    return f"{address}?search={key}" if key else address
