"""Runs as lists and pages meet them: made as rows, where no engine is needed to get them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.automations.models import Automation, AutomationVersion, Run
from tests.conftest import Cast
from tests.messaging.automations.conftest import MakeAutomation, spec

OURS = "+4915112345678"


@pytest.fixture
def welcome(automation: MakeAutomation) -> Automation:
    return automation(spec("n1"), spec("n2"), name="Welcome")


def make_run(automation: Automation, key: str, **values: Any) -> Run:
    now = timezone.now()
    version = automation.live or AutomationVersion.objects.get(automation=automation)
    known = {"status": "done", "position": "" if values.get("status", "done") == "done" else "n1"}
    if values.get("status") == "failed":
        known |= {"reason": "no_luck", "detail": "It did not work. Try something else.", "ended_at": now}
    return Run.objects.create(
        **{
            "organization": automation.organization,
            "automation": automation,
            "version": version,
            "key": key,
            "due_at": now + timedelta(hours=1),
            **known,
            **values,
        }
    )


def of_other(cast: Cast) -> Automation:
    """An automation of somebody else, with a run."""
    flow = {"trigger": {"kind": "test", "settings": {}}, "nodes": [], "count": 0}
    made = Automation.objects.create(organization=cast.other, name="Yonder", draft=flow)
    version = AutomationVersion.objects.create(automation=made, number=1, flow=flow)
    Automation.objects.filter(pk=made.pk).update(live=version, status="live")
    made.refresh_from_db()
    make_run(made, "theirs", status="failed", phone="+4915187654321")
    return made
