"""The list of conversations, and what tells of new ones."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations.masking import mask_phone
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from messaging.inbox.selectors import (
    VIEWS,
    changed_since,
    contact_of,
    find_conversations,
    newest_unread,
    page_of,
    unread_count,
)


@member_page(Capability.VIEW)
def conversation_list(request: MemberRequest) -> HttpResponse:
    """List conversations; a search arrives by POST, because names and numbers must not stand in an address."""
    key = key_of(request)
    if request.method == "POST":
        wanted = {"q": request.POST.get("q", ""), "view": request.POST.get("view", "")}
        key = remember(request, wanted=wanted, key=key)
        address = reverse("inbox:list") + (f"?search={key}" if key else "")
        if not request.htmx:
            return redirect(address)
    else:
        wanted = recall(request, key=key) or {"view": request.GET.get("view", "")}
    context = _list_context(request, wanted, search=key)
    if request.method == "POST":
        response = render(request, "messaging/inbox/_results.html", context)
        response["HX-Replace-Url"] = address
        return response
    return render(request, "messaging/inbox/list.html", context)


def _list_context(request: MemberRequest, wanted: dict[str, str], *, search: str) -> dict[str, Any]:
    query = wanted.get("q", "")
    view = wanted.get("view", "") if wanted.get("view", "") in VIEWS else ""
    # The moment before the rows are read: what comes in between is told of, at worst twice.
    now = timezone.now()
    rows = find_conversations(request.member, view=view, query=query)
    return {
        "title": "Inbox",
        "lead": "What people write to your numbers, and your answers.",
        "page": page_of(rows, organization=request.organization, after=request.GET.get("after", "")),
        "views": [(name, label, name == view) for name, label in VIEWS.items()],
        "view": view,
        "q": query,
        "search": search,
        "moment": now.isoformat(),
        "may_edit": request.member.can(Capability.EDIT_TEMPLATES),
        "may_manage": request.member.can(Capability.MANAGE_ORGANIZATION),
    }


@require_safe
@member_page(Capability.VIEW)
def news(request: MemberRequest) -> HttpResponse:
    """Say how many conversations of a list have something new; the rows on the screen stay where they are."""
    wanted = recall(request, key=request.GET.get("search", "")) or {"view": request.GET.get("view", "")}
    moment = _moment(request.GET.get("since", ""))
    rows = find_conversations(request.member, view=wanted.get("view", ""))
    fresh = changed_since(rows, moment=moment) if moment else 0
    context = {"fresh": fresh, "search": request.GET.get("search", ""), "view": wanted.get("view", "")}
    return render(request, "messaging/inbox/_news.html", context)


@require_safe
@member_page(Capability.VIEW)
def count(request: MemberRequest) -> JsonResponse:
    """Answer how many conversations are unread, and who wrote last, for the badge and the browser's notification."""
    newest = newest_unread(request.organization)
    latest = None
    if newest is not None:
        contact = contact_of(newest)
        latest = {
            "id": str(newest.pk),
            "at": (newest.last_inbound_at or newest.last_at).isoformat(),
            "who": contact.name if contact and contact.name else mask_phone(newest.phone),
        }
    answer = JsonResponse({"unread": unread_count(request.organization), "latest": latest})
    answer["Cache-Control"] = "no-store"
    return answer


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
