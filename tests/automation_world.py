"""A row of each model of the room of automations, for the world that the walks look at."""

from typing import Any

from integrations.organizations.models import Organization, User
from messaging.automations.models import Automation, AutomationDraft, AutomationVersion


def automation_rows(organization: Organization, *, owner: User, mark: str) -> list[Any]:
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
    return [
        automation,
        version,
        AutomationDraft.objects.create(automation=automation, flow=flow, what=f"{mark} change"),
    ]
