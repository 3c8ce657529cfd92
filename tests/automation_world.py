"""A row of each model of the room of automations, for the world that the walks look at."""

from typing import Any

from django.utils import timezone

from integrations.organizations.models import Organization, User
from messaging.automations.models import Automation, AutomationDraft, AutomationVersion, Run, RunMessage, RunStep
from messaging.happenings.models import Happening, Listener
from tests.trigger_world import trigger_rows


def automation_rows(
    organization: Organization, *, owner: User, mark: str, contact: Any = None, message: Any = None
) -> list[Any]:
    """Return an automation with one of everything that belongs to it."""
    flow = {
        "trigger": {"kind": "", "settings": {}},
        "nodes": [{"id": "n1", "kind": "stop", "settings": {}}],
        "count": 1,
    }
    automation = Automation.objects.create(
        organization=organization, name=f"{mark} automation", draft=flow, created_by_id=owner.pk
    )
    version = AutomationVersion.objects.create(automation=automation, number=1, flow=flow, published_by_id=owner.pk)
    phone = contact.phone if contact is not None else ""
    run = Run.objects.create(
        organization=organization,
        automation=automation,
        version=version,
        key=f"{mark} key",
        contact=contact,
        phone=phone,
        data={"trigger": {"said": f"{mark} said so", "password": "0pen5e5ame"}, "nodes": {}},
        status=Run.Status.FAILED,
        position="n1",
        due_at=timezone.now(),
        ended_at=timezone.now(),
        reason="no_luck",
        detail=f"{mark} had no luck.",
    )
    step = RunStep.objects.create(
        run=run,
        ordinal=1,
        node="n1",
        kind="stop",
        status=RunStep.Status.FAILED,
        attempts=1,
        input={"asked": f"{mark} asked"},
        started_at=timezone.now(),
        ended_at=timezone.now(),
    )
    return [
        run,
        step,
        RunMessage.objects.create(run=run, step=step, key=phone, message=message),
        Happening.objects.create(organization=organization, kind="test.thing", phone=phone, data={"said": mark}),
        Listener.objects.create(organization=organization, kind="test.thing", owner=automation.pk),
        automation,
        version,
        AutomationDraft.objects.create(automation=automation, flow=flow, what=f"{mark} change"),
        *trigger_rows(automation, mark=mark),
    ]
