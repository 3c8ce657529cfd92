"""An automation that does nothing but begin, and what its runs know."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.automations import hearing
from messaging.automations.base import Scope
from messaging.automations.checking import problems_of
from messaging.automations.flow import Flow
from messaging.automations.models import Automation, Run
from messaging.automations.publishing import create, publish
from messaging.automations.registry import trigger_of
from messaging.happenings.models import Happening
from tests.conftest import Cast
from tests.messaging.automations.conftest import spec

Listening = Callable[..., Automation]


@pytest.fixture
def listening(cast: Cast) -> Listening:
    """Publish an automation of a trigger: `listening("contact_created", sources=["import"])`."""

    def make(trigger: str, *, by: str = "admin", **settings: Any) -> Automation:
        actor = getattr(cast, by)
        organization = cast.other if by == "stranger" else cast.organization
        flow = Flow(trigger=trigger, trigger_settings=settings, nodes=(spec("n1"),), count=1)
        made = create(organization, name=f"{trigger} of {by}", flow=flow, actor=actor)
        publish(made, actor=actor)
        return made

    return make


def begun(automation: Automation) -> list[dict[str, Any]]:
    """Hear of everything, and return what the trigger brought to each run, the eldest first."""
    hearing.hear_all()
    runs = Run.objects.filter(automation=automation).exclude(status=Run.Status.SKIPPED).order_by("id")
    return [run.data["trigger"] for run in runs]


def told(kind: str) -> list[dict[str, Any]]:
    """Return what was told of a kind."""
    return [one.data for one in Happening.objects.filter(kind=kind).order_by("id")]


def wrong(cast: Cast, trigger: str, **settings: Any) -> list[str]:
    """Return what keeps a trigger with these settings from being published."""
    flow = Flow(trigger=trigger, trigger_settings=settings, nodes=(spec("n1"),), count=1)
    return [problem.text for problem in problems_of(cast.organization, flow)]


def describe(cast: Cast, trigger: str, **settings: Any) -> str:
    found = trigger_of(trigger)
    assert found is not None
    return found.describe(Scope(cast.organization), settings)
