"""The operator's page of platform SMS whose outcome nobody knows: only the operator sees the carrier's log."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.pages import MemberRequest, operator_page

from .models import Message
from .resolving import resolve
from .statuses import Status

_MOST = 200
_OPERATOR = "the operator"


@never_cache
@require_safe
@operator_page
def unsettled(request: MemberRequest) -> HttpResponse:
    """List what needs the operator: number and time, to look for in the carrier's log; no text."""
    rows = (
        Message.objects.filter(needs_person=True, status=Status.UNKNOWN, route="platform")
        .select_related("organization", "connection__organization")
        .order_by("posted_at")[:_MOST]
    )
    context: dict[str, Any] = {
        "title": "Unsettled platform SMS",
        "lead": "The answer to these was lost, and the carrier's log leaves doubt. Look there, then say what it shows.",
        "rows": rows,
    }
    return render(request, "messaging/sending/unsettled.html", {**admin.site.each_context(request), **context})


@require_POST
@operator_page
def settle(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Settle one by what the carrier's log shows."""
    message = Message.objects.select_related("organization").filter(route="platform", pk=pk).first()
    answer = request.POST.get("was_sent")
    if answer not in {"yes", "no"}:
        messages.error(request, "Say whether the carrier's log shows the message.")
    elif message is not None and resolve(message, was_sent=answer == "yes", actor=_OPERATOR):
        messages.success(request, "Settled.")
    else:
        messages.info(request, "It settled by itself in the meantime.")
    return redirect("platform_messages:unsettled")
