"""A row of each model of triggers, for the world that the walks look at."""

from typing import Any

from django.utils import timezone

from messaging.automations.models import Automation
from messaging.automations.trigger_models import (
    AutomationHook,
    HookCall,
    HookRefusal,
    HookSample,
    SeenEvent,
    ThresholdState,
)

SECRET = "whs_5ec2e75ec2e75ec2e75ec2e7"


def trigger_rows(automation: Automation, *, mark: str) -> list[Any]:
    """Return a webhook with one of everything that belongs to it, a threshold and an event."""
    now = timezone.now()
    hook = AutomationHook.objects.create(
        organization=automation.organization, automation=automation, key=f"hook-of-{mark.lower()}", secret=SECRET
    )
    return [
        hook,
        HookSample.objects.create(hook=hook, payload={"name": f"{mark} payload"}),
        HookCall.objects.create(hook=hook, digest=f"k:{mark}", at=now),
        HookRefusal.objects.create(hook=hook, status=403, code="bad_signature", detail=f"{mark} detail"),
        ThresholdState.objects.create(automation=automation, subject=f"{mark} sensor"),
        SeenEvent.objects.create(
            organization=automation.organization, name=f"{mark.lower()}.event", sample={"name": f"{mark} event"}
        ),
    ]
