"""What the panel of a webhook shows beside its settings: address, secret, what came, what was refused."""

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.automations import hooks
from messaging.automations.flow import Flow
from messaging.automations.hook_proof import SIGNATURE
from messaging.automations.models import Automation
from messaging.automations.panel import TRIGGER
from messaging.automations.publishing import draft_of
from messaging.automations.registry import trigger_of
from messaging.automations.trigger_models import AutomationHook
from messaging.automations.triggers.webhook import WebhookTrigger

from .finding import automation_of
from .unreadable import says_unreadable

_SHOWN_REFUSALS = 5


def hook_context(automation: Automation, flow: Flow) -> dict[str, Any]:
    """Return what the panel of a trigger with an address shows; {} for other triggers."""
    trigger = trigger_of(flow.trigger)
    if not isinstance(trigger, WebhookTrigger):
        return {}
    hook = AutomationHook.objects.filter(automation=automation).first()
    found: dict[str, Any] = {
        "has_hook": True,
        "hook": hook,
        "example": json.dumps(trigger.example(flow.trigger_settings)),
        "is_signed": flow.trigger_settings.get("auth") == SIGNATURE,
    }
    if hook is not None:
        samples = list(hook.samples.order_by("-id"))
        refusals = list(hook.refusals.order_by("-id")[:_SHOWN_REFUSALS])
        found |= {
            "hook_address": hooks.address_of(hook),
            "hook_has_secret": bool(hook.secret),
            "samples": [(row.at, _pretty(row.payload)) for row in samples],
            "refusals": refusals,
            # What is on the screen: while nothing is new, nothing is drawn anew under somebody who reads.
            "news": f"{samples[0].pk if samples else 0}-{refusals[0].pk if refusals else 0}",
        }
    return found


@member_page(Capability.EDIT_AUTOMATIONS)
@require_POST
@says_unreadable
def secret_make(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Make the address's secret, or another one, and show it this one time."""
    automation = automation_of(request, pk)
    flow = draft_of(automation)
    if automation.status == Automation.Status.ARCHIVED or not hook_context(automation, flow):
        messages.error(request, "This automation has no webhook address any more.")
        return redirect("automations:build", pk=pk)
    secret = hooks.make_secret(automation, actor=request.user, ip=client_ip(request))
    context = {"title": "Secret of the webhook", "automation": automation, "secret": secret, "tab": "build"}
    context |= hook_context(automation, flow) | {"may_edit": True}
    part = "_hook" if request.htmx else "secret"
    response = render(request, f"messaging/automations/{part}.html", context)
    response["Cache-Control"] = "no-store"
    return response


@member_page(Capability.EDIT_AUTOMATIONS)
@require_safe
@says_unreadable
def hook_news(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what came by the address, and what was refused; without scripts, in the panel."""
    automation = automation_of(request, pk)
    if not request.htmx:
        return redirect(f"{reverse('automations:build', args=[pk])}?open={TRIGGER}#build-panel")
    context = {"automation": automation, **hook_context(automation, draft_of(automation))}
    if request.GET.get("seen", "") == context.get("news", ""):
        return HttpResponse(status=204)
    return render(request, "messaging/automations/_hook_news.html", context)


def _pretty(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2)
