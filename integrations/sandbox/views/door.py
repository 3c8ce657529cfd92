"""The door of every sandbox page: whose connection it is, and what to say while there is no sandbox to ask."""

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from integrations.connections.models import Connection
from integrations.organizations.pages import MemberRequest, View, member_page
from integrations.organizations.roles import Capability
from integrations.sandbox.control import SandboxRefused, SandboxUnavailable
from integrations.sandbox.dial_board import deviations
from integrations.sandbox.selectors import control, sandbox_connections

NO_ACCOUNT = 404


def sandbox_page(capability: Capability = Capability.VIEW) -> Callable[[View], View]:
    """Let members in whose role carries the capability, and answer in words where the sandbox is off or silent.

    A view with `pk` gets the connection instead: one of the organization's own, in the sandbox, or 404.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def asked(request: MemberRequest, *args: Any, pk: uuid.UUID | None = None, **kwargs: Any) -> HttpResponseBase:
            if not settings.SANDBOX_ENABLED:
                return explain_absence(request, "disabled")
            if pk is not None:
                args = (get_object_or_404(sandbox_connections(request.organization), pk=pk), *args)
            try:
                return view(request, *args, **kwargs)
            except SandboxUnavailable:
                return explain_absence(request, "down")
            except SandboxRefused as refusal:
                if refusal.status != NO_ACCOUNT:
                    raise
                return explain_absence(request, "unknown_account", connection=args[0] if args else None)

        # What a phone shows is nobody's business once its reader has left.
        return member_page(capability)(never_cache(asked))

    return decorate


def explain_absence(request: MemberRequest, reason: str, *, connection: Connection | None = None) -> HttpResponse:
    """Say why there is nothing to see and what to do; `reason` is disabled, not_connected, down or unknown_account."""
    context = {
        "title": "Sandbox",
        "lead": "A simulated Twilio with virtual phones, for trying things out.",
        "request_id": uuid.uuid4(),
        "reason": reason,
        "connection": connection,
        "may_manage": request.member.can(Capability.MANAGE_CONNECTIONS),
    }
    if request.method == "POST" and request.htmx and request.htmx.target == "phone":
        # Beside the phone, so that the typed reply stays where it is.
        response = render(request, "integrations/sandbox/_absent_notice.html", context)
        response["HX-Retarget"] = "#came-of-it"
        return response
    template = "_absent.html" if request.htmx else "absent.html"
    return render(request, f"integrations/sandbox/{template}", context)


def frame(request: MemberRequest, connection: Connection, *, tab: str) -> dict[str, Any]:
    """Return what every page of a sandbox account has around its own part: tabs, accounts, what is off normal."""
    return {
        "connection": connection,
        "accounts": list(sandbox_connections(request.organization)),
        "tab": tab,
        "off_normal": deviations(control().dials(connection.account_sid)["in_force"]),
        "may_reply": request.member.can(Capability.SEND),
        "may_manage": request.member.can(Capability.MANAGE_CONNECTIONS),
    }
