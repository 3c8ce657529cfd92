"""The page of sending limits: the organization's policy, what it used today, and the speed of its senders."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from integrations.connections.models import Connection
from integrations.connections.selectors import connections_of
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.twilio.error_table import explain

from . import pace
from .limit_forms import PolicyForm, SpeedForm
from .policy import cap_use, change_policy, policy_of, set_sender_limit


@member_page(Capability.MANAGE_ORGANIZATION)
def limits(request: MemberRequest) -> HttpResponse:
    """Show and change the organization's limits."""
    if request.method != "POST":
        return _page(request, PolicyForm.of(policy_of(request.organization)))
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    changes = change_policy(request.organization, values=form.cleaned_data, actor=request.user, ip=client_ip(request))
    messages.success(request, "Saved. It holds from the next second on." if changes else "Nothing was changed.")
    return redirect("messages:limits")


@member_page(Capability.MANAGE_ORGANIZATION)
@require_POST
def speed(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Set how fast one sender of a connection may send."""
    connection = get_object_or_404(Connection, organization=request.organization, pk=pk)
    form = SpeedForm(request.POST, auto_id=f"speed_{connection.pk}_%s")
    if not form.is_valid():
        return _page(
            request, PolicyForm.of(policy_of(request.organization)), speed_forms={connection.pk: form}, status=422
        )
    sender, mps = form.cleaned_data["sender"], form.cleaned_data["mps"]
    is_new = set_sender_limit(connection, sender=sender, mps=mps, actor=request.user, ip=client_ip(request))
    messages.success(request, "Saved. It holds from the next second on." if is_new else "Nothing was changed.")
    return redirect("messages:limits")


def _page(
    request: MemberRequest,
    form: PolicyForm,
    *,
    speed_forms: dict[uuid.UUID, SpeedForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    connections = connections_of(request.organization, with_disconnected=False)
    given = speed_forms or {}
    context = {
        "title": "Sending limits",
        "lead": "How much is sent a day, at which hours, to which countries, and how fast.",
        "form": form,
        "use": cap_use(request.organization),
        "may_connect": request.member.can(Capability.MANAGE_CONNECTIONS),
        "connections": [
            {
                "connection": connection,
                "form": given.get(
                    connection.pk,
                    SpeedForm(initial={"sender": connection.sends_as}, auto_id=f"speed_{connection.pk}_%s"),
                ),
                "speeds": [(speed, explain(speed.code) if speed.code else None) for speed in _shown(connection)],
            }
            for connection in connections
        ],
    }
    return render(request, "messaging/sending/limits.html", context, status=status)


def _shown(connection: Connection) -> list[pace.Speed]:
    """Return the speeds that say something: set ones and lowered ones."""
    found = [speed for speed in pace.speeds_of(connection) if speed.mps is not None or speed.learned is not None]
    if connection.mps is not None and not any(speed.sender == "" for speed in found):
        found.insert(0, pace.Speed(sender="", mps=connection.mps, learned=None, code=None, slowed_at=None))
    return found
