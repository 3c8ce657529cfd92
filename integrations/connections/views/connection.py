"""The page of one connection, and what can be done with it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.connections.changing import change, make_default
from integrations.connections.credentials import ConnectionUnusable, live_tokens
from integrations.connections.disconnecting import disconnect, successor_of
from integrations.connections.forms import SendersForm
from integrations.connections.models import Connection
from integrations.connections.pasted import SID_KINDS
from integrations.connections.reachability import Reachability, judge_address
from integrations.connections.rechecking import recheck
from integrations.connections.refusal_reasons import explain_reason
from integrations.connections.refusals import KEPT_PER_CONNECTION
from integrations.connections.registry import consequences_of_disconnecting
from integrations.connections.replies.pointing import kept_addresses, put_back, what_is_put_back
from integrations.connections.rotation import ConnectionChanged
from integrations.connections.webhooks import inbound_url, status_url_pattern
from integrations.organizations.listing import page_of
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.twilio.error_table import explain

_Status = Connection.Status


def connection_or_404(request: MemberRequest, pk: UUID) -> Connection:
    """Return a connection of the request's organization; anything else does not exist."""
    rows = Connection.objects.select_related("organization").exclude(mode=Connection.Mode.WEBHOOK)
    return get_object_or_404(rows, organization=request.organization, pk=pk)


@require_safe
@member_page(Capability.MANAGE_CONNECTIONS)
def detail(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show a connection: its state, the last check, its webhooks and those refused."""
    connection = connection_or_404(request, pk)
    refused = page_of(request, connection.refused_webhooks.order_by("-id")[:KEPT_PER_CONNECTION])
    context = {
        "title": connection.name,
        "connection": connection,
        "broken": explain(connection.broken_code) if connection.status == _Status.BROKEN else None,
        "webhooks": _webhooks(connection),
        "page": refused,
        "refused": [(row, explain_reason(row.reason)) for row in refused],
    }
    return render(request, "integrations/connections/detail.html", context)


def _webhooks(connection: Connection) -> dict[str, Any]:
    """Return what the page says about webhooks; with an unreadable secret it says that instead of addresses."""
    if connection.status == _Status.DISCONNECTED:
        return {}
    is_near = connection.is_sandbox or bool(settings.TWILIO_BASE_URL)
    reach = Reachability(True) if is_near else judge_address(settings.PUBLIC_BASE_URL)
    try:
        return {
            "inbound": inbound_url(connection),
            "status": status_url_pattern(connection),
            "tokens": len(live_tokens(connection)),
            "reach": reach,
        }
    except ConnectionUnusable as error:
        return {"unreadable": error.detail, "reach": reach}


@require_POST
@member_page(Capability.MANAGE_CONNECTIONS)
def check_again(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Ask Twilio about the connection anew."""
    connection = connection_or_404(request, pk)
    if connection.status == _Status.DISCONNECTED:
        messages.error(request, "A disconnected connection cannot be checked: its secrets are gone.")
        return redirect("connections:detail", pk)
    report = recheck(connection, actor=request.user, ip=client_ip(request))
    if report.is_good:
        messages.success(request, "Checked: everything needed for sending is in place.")
    else:
        messages.warning(request, f"Checked: {report.problems[0].text}")
    return redirect("connections:detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_CONNECTIONS)
def settings_page(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Change name, senders and speed."""
    connection = connection_or_404(request, pk)
    if connection.status == _Status.DISCONNECTED:
        return redirect("connections:detail", pk)
    names = ("name", "messaging_service_sid", "sender", "verify_service_sid", "mps")
    form = SendersForm(
        request.POST if request.method == "POST" else None,
        initial={name: getattr(connection, name) for name in names},
        organization=request.organization,
        user=request.user,
    )
    if request.method == "POST" and form.is_valid():
        try:
            obstacles = change(connection, values=form.values(), actor=request.user, ip=client_ip(request))
        except ConnectionChanged as error:
            messages.error(request, str(error))
            return redirect("connections:detail", pk)
        form.take(obstacles)
        if not obstacles:
            messages.success(request, "Saved.")
            return redirect("connections:detail", pk)
    context = {
        "title": "Change senders and speed",
        "lead": connection.name,
        "connection": connection,
        "form": form,
        "sid_kinds": SID_KINDS,
        "submit": "Check and save",
    }
    return render(request, "integrations/connections/form_page.html", context, status=422 if form.errors else 200)


@require_POST
@member_page(Capability.MANAGE_CONNECTIONS)
def set_default(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Make the connection the default."""
    connection = connection_or_404(request, pk)
    try:
        make_default(connection, actor=request.user, ip=client_ip(request))
    except ConnectionChanged as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{connection.name}” is used wherever no other connection is chosen.")
    return redirect("connections:detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_CONNECTIONS)
def disconnect_page(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Say what a disconnection means, ask, and do it."""
    connection = connection_or_404(request, pk)
    if connection.status == _Status.DISCONNECTED:
        return redirect("connections:detail", pk)
    if request.method == "POST":
        # With the secrets gone nothing could be put back any more; where Twilio does not answer, the wish counts more.
        for outcome in put_back(connection, actor=request.user, ip=client_ip(request)):
            (messages.info if outcome.is_good else messages.warning)(request, outcome.text)
        disconnect(connection, actor=request.user, ip=client_ip(request))
        messages.success(request, f"“{connection.name}” is disconnected. Its messages stay in the log.")
        return redirect("connections:services")
    context = {
        "title": f"Disconnect {connection.name}",
        "connection": connection,
        "consequences": [*consequences_of_disconnecting(connection), *what_is_put_back(connection)],
        "is_put_back": bool(kept_addresses(connection)),
        "successor": successor_of(connection),
    }
    return render(request, "integrations/connections/disconnect.html", context)
