"""System services: what is connected, and connecting more."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.connections.check import run_check
from integrations.connections.connecting import candidate, connect, find_request
from integrations.connections.forms import ApiKeyForm, AuthTokenForm, ConnectForm
from integrations.connections.models import Connection
from integrations.connections.pasted import SID_KINDS
from integrations.connections.sandbox import SandboxDisabled, connect_sandbox
from integrations.connections.selectors import connections_of, default_connection
from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability

WAYS: dict[str, type[ConnectForm]] = {"api_key": ApiKeyForm, "auth_token": AuthTokenForm}


@require_safe
@member_page(Capability.MANAGE_CONNECTIONS)
def services(request: MemberRequest) -> HttpResponse:
    """Show the services that can be connected, and what is."""
    rows = list(connections_of(request.organization))
    context = {
        "title": "System services",
        "lead": "Accounts of yours that Heliograph works with.",
        "connections": [row for row in rows if row.status != Connection.Status.DISCONNECTED],
        "disconnected": [row for row in rows if row.status == Connection.Status.DISCONNECTED],
        "sandbox_enabled": settings.SANDBOX_ENABLED,
        "request_id": uuid.uuid4(),
    }
    return render(request, "integrations/connections/services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_CONNECTIONS)
def connect_page(request: MemberRequest) -> HttpResponse:
    """Ask for credentials, check them at Twilio, and connect."""
    way = request.GET.get("way", "")
    way = way if way in WAYS else "api_key"
    form = WAYS[way](
        request.POST if request.method == "POST" else None,
        organization=request.organization,
        user=request.user,
        default=default_connection(request.organization),
    )
    if request.method == "POST":
        connection = _submit(request, form)
        if connection is not None:
            return redirect("connections:detail", connection.pk)
        form.keep_secrets()
    context = {
        "title": "Connect Twilio",
        "lead": "A few values from Twilio's Console. They are checked before anything is saved.",
        "form": form,
        "way": way,
        "sid_kinds": SID_KINDS,
        "sandbox_enabled": settings.SANDBOX_ENABLED,
        "request_id": uuid.uuid4(),
    }
    return render(request, "integrations/connections/connect.html", context, status=422 if form.errors else 200)


def _submit(request: MemberRequest, form: ConnectForm) -> Connection | None:
    """Connect with what was entered; None where the form says what is wrong."""
    if not form.is_valid():
        return None
    request_id = form.cleaned_data["request_id"]
    earlier = find_request(request.organization, request_id)
    if earlier is not None:
        return earlier
    draft = candidate(request.organization, auth=form.auth, **form.values())
    report = run_check(draft)
    if report.problems:
        form.take(report.problems)
        return None
    connection = connect(
        draft,
        report=report,
        actor=request.user,
        make_default=form.cleaned_data["make_default"],
        request_id=request_id,
        ip=client_ip(request),
    )
    messages.success(request, f"“{connection.name}” is connected.")
    return connection


@require_POST
@member_page(Capability.MANAGE_CONNECTIONS)
def use_sandbox(request: MemberRequest) -> HttpResponse:
    """Connect the organization to the sandbox."""
    try:
        connection = connect_sandbox(
            request.organization,
            actor=request.user,
            request_id=as_uuid(request.POST.get("request_id", "")),
            ip=client_ip(request),
        )
    except SandboxDisabled:
        messages.error(request, "The operator has not turned the sandbox on for this installation.")
        return redirect("connections:services")
    messages.success(request, "The sandbox is connected. Nothing you send through it leaves this installation.")
    return redirect("connections:detail", connection.pk)
