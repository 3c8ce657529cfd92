"""The page that shows where Twilio sends replies, and lets them come here."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.connections.models import Connection
from integrations.connections.reachability import judge_address
from integrations.connections.replies.places import State, can_be_reached, look
from integrations.connections.replies.pointing import Outcome, agreement, kept_addresses, point_here, put_back
from integrations.connections.views.connection import connection_or_404
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_CONNECTIONS)
def replies_page(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show what stands at Twilio against what should; set it, or put back what stood there before."""
    connection = connection_or_404(request, pk)
    if connection.status == Connection.Status.DISCONNECTED or connection.mode == Connection.Mode.TEST:
        return redirect("connections:detail", pk)
    if request.method == "POST":
        _tell(request, _act(request, connection))
        return redirect("connections:replies", pk)
    found = look(connection)
    kept = {row.sid: row for row in kept_addresses(connection)}
    context = {
        "title": "Where replies go",
        "lead": connection.name,
        "connection": connection,
        "found": found,
        "rows": [(place, kept.pop(place.sid, None), agreement(place)) for place in found.places],
        "elsewhere": list(kept.values()),
        "may_set": can_be_reached(connection),
        "is_settable": any(place.state != State.RIGHT for place in found.places),
        "reach": judge_address(settings.PUBLIC_BASE_URL),
    }
    return render(request, "integrations/connections/replies.html", context)


def _act(request: MemberRequest, connection: Connection) -> list[Outcome]:
    if request.POST.get("do") == "put_back":
        sid = request.POST.get("sid", "")[:34]
        return put_back(connection, sid=sid, actor=request.user, ip=client_ip(request)) if sid else []
    return point_here(
        connection,
        sids=request.POST.getlist("place"),
        replace=request.POST.getlist("replace"),
        actor=request.user,
        ip=client_ip(request),
    )


def _tell(request: MemberRequest, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        (messages.success if outcome.is_good else messages.warning)(request, outcome.text)
