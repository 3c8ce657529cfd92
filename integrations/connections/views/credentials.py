"""New secrets for a connection: the ones it sends with, and those that sign its webhooks."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.connections.forms import CheckedForm, RotateKeyForm, RotateTokenForm, SigningTokensForm
from integrations.connections.models import Connection
from integrations.connections.pasted import SID_KINDS
from integrations.connections.rotation import ConnectionChanged, NewSecrets, rotate
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability

from .connection import connection_or_404


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_CONNECTIONS)
def rotate_page(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Replace the API Key or the Auth Token, once Twilio accepts the new one."""
    connection = connection_or_404(request, pk)
    kind = RotateKeyForm if connection.auth == Connection.Auth.API_KEY else RotateTokenForm
    form = kind(
        request.POST if request.method == "POST" else None, organization=request.organization, user=request.user
    )
    lead = "The new one is checked first. Until Twilio accepts it, the old one stays in use."
    return _answer(request, connection, form, title=f"Rotate the credentials of {connection.name}", lead=lead)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_CONNECTIONS)
def signing_page(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Change the Auth Tokens with which webhooks may be signed."""
    connection = connection_or_404(request, pk)
    form = SigningTokensForm(
        request.POST if request.method == "POST" else None,
        organization=request.organization,
        user=request.user,
        connection=connection,
    )
    lead = "With them we can tell Twilio's reports from forged ones."
    return _answer(request, connection, form, title=f"Webhook signatures of {connection.name}", lead=lead)


def _answer(
    request: MemberRequest, connection: Connection, form: CheckedForm, *, title: str, lead: str
) -> HttpResponse:
    if connection.status == Connection.Status.DISCONNECTED:
        return redirect("connections:detail", connection.pk)
    if request.method == "POST":
        if form.is_valid():
            done = _rotate(request, connection, form)
            if done is not None:
                return done
        form.keep_secrets()
    context: dict[str, Any] = {
        "title": title,
        "lead": lead,
        "connection": connection,
        "form": form,
        "sid_kinds": SID_KINDS,
        "submit": "Check and replace",
    }
    return render(request, "integrations/connections/form_page.html", context, status=422 if form.errors else 200)


def _rotate(request: MemberRequest, connection: Connection, form: CheckedForm) -> HttpResponse | None:
    values = {name: value for name, value in form.cleaned_data.items() if name in NewSecrets.__dataclass_fields__}
    try:
        obstacles = rotate(connection, new=NewSecrets(**values), actor=request.user, ip=client_ip(request))
    except ConnectionChanged as error:
        messages.error(request, str(error))
        return redirect("connections:detail", connection.pk)
    if obstacles:
        form.take(obstacles)
        return None
    messages.success(request, "Replaced. Everything from now on uses the new credentials.")
    return redirect("connections:detail", connection.pk)
