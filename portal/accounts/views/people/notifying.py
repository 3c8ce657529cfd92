"""Writing to the people: the list of what was written, one of them, writing, and looking at it before it goes."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.identifiers import new_id
from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.accounts import notifying
from portal.accounts.finding import find_notification, find_person, page_of_notifications
from portal.accounts.models import Portal, PortalUser
from portal.accounts.notifying import NotificationRefused
from portal.accounts.people_forms import NotifyForm
from portal.accounts.telling import can_go_again, outcome_of
from portal.accounts.views.frame import context_of, portal_of

_SHOWN = 100


@member_page(Capability.PORTAL_PEOPLE)
@require_safe
def notification_list(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """List what was written to the people."""
    portal = portal_of(request, pk)
    page = page_of_notifications(portal, after=request.GET.get("after"))
    context = {
        **context_of(request, portal, tab="portals:notifications"),
        "rows": [(row, notifying.results_of(row)) for row in page.rows],
        "page": page,
    }
    return render(request, "portal/accounts/people/notifications.html", context)


@member_page(Capability.PORTAL_PEOPLE)
def notify(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Write a text, then look at what would go out to whom, then send it: nothing goes before the last step."""
    portal = portal_of(request, pk)
    person = _person(portal, request.POST.get("person") or request.GET.get("person"))
    form = NotifyForm(request.POST or None, portal=portal, person=person)
    shown = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("do") == "send":
                return _send(request, portal, form)
            if request.POST.get("do") == "look":
                shown = notifying.preview(portal, form.plan)
        except NotificationRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.detail)
    context = {
        **context_of(request, portal, tab="portals:notifications"),
        "title": f"Write to {person}" if person else "Write to people",
        "form": form,
        "person": person,
        "shown": shown,
        "look": shown.look if shown else notifying.look_of(portal, form["text"].value() or ""),
        "request_id": new_id(),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/accounts/people/notify.html", context, status=status)


@member_page(Capability.PORTAL_PEOPLE)
@require_POST
def notify_measure(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a text as it arrives while it is written."""
    look = notifying.look_of(portal_of(request, pk), request.POST.get("text", "")[: 2 * notifying.LONGEST])
    return render(request, "messaging/templates/_measure.html", {"look": look})


@member_page(Capability.PORTAL_PEOPLE)
@require_safe
def notification(request: MemberRequest, pk: uuid.UUID, notification_pk: uuid.UUID) -> HttpResponse:
    """Show one: how far it is, how its texts fared, and which failed."""
    portal = portal_of(request, pk)
    row = find_notification(portal, notification_pk)
    if row is None:
        raise Http404("There is no such notification.")
    failed = notifying.failed_of(row).select_related("user", "message").order_by("pk")[:_SHOWN]
    context = {
        **context_of(request, portal, tab="portals:notifications"),
        "title": "Notification",
        "row": row,
        "results": notifying.results_of(row),
        "failed": [(sending, outcome_of(sending), can_go_again(sending)) for sending in failed],
        "look": notifying.look_of(portal, row.text),
    }
    return render(request, "portal/accounts/people/notification.html", context)


def _send(request: MemberRequest, portal: Portal, form: NotifyForm) -> HttpResponse:
    request_id = as_uuid(request.POST.get("request_id"))
    if request_id is None:
        raise NotificationRefused("Look at it once more before it is sent.")
    row = notifying.send(portal, form.plan, request_id=request_id, actor=request.user, ip=client_ip(request))
    messages.success(request, "It is being sent. This page shows how it fares.")
    return redirect("portals:notification", pk=portal.pk, notification_pk=row.pk)


def _person(portal: Portal, key: Any) -> PortalUser | None:
    """Return the person who is written to alone, where one is named; 404 for one of another portal."""
    if not key:
        return None
    found = find_person(portal, person_id) if (person_id := as_uuid(key)) else None
    if found is None:
        raise Http404("There is no such person.")
    return found
