"""Runs of one node: published, begun, carried on."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.automations.base import Problem
from messaging.automations.checking import problems_of_node
from messaging.automations.fields import Field, Type
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import Run, RunStep
from messaging.automations.publishing import begin_test, create
from messaging.automations.scopes import scope_at
from messaging.contacts.models import Contact
from tests.conftest import Cast
from tests.factories import ConnectionFactory, ContactFactory
from tests.messaging.automations.conftest import (
    MakeAutomation,
    TestTrigger,
    begin,
    carry_on,
    register_triggers,
)

PHONE = "+4915112345678"
FIELDS = [
    Field("trigger.phone", "Phone", Type.PHONE, PHONE),
    Field("trigger.order", "Order", Type.TEXT, "A-7"),
    Field("trigger.total", "Total", Type.NUMBER, 12.5),
    Field("trigger.paid", "Paid", Type.YES_NO, True),
    Field("trigger.day", "Day", Type.DATE, "2026-05-01"),
    Field("trigger.at", "At", Type.MOMENT, "2026-05-01T09:00:00+00:00"),
    Field("trigger.plan", "Plan", Type.CHOICE, "gold", ("gold", "silver")),
]


@pytest.fixture(autouse=True)
def fields_of_the_trigger(kinds_of_tests: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TestTrigger, "fields", lambda self, scope, settings: FIELDS)
    register_triggers([TestTrigger()])


@pytest.fixture
def contact(cast: Cast) -> Contact:
    return ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=PHONE)


@pytest.fixture
def sandbox_connection(cast: Cast) -> Connection:
    return ConnectionFactory(organization=cast.organization, name="Sandbox", mode="sandbox", is_default=False)


RunNode = Callable[..., RunStep]


@pytest.fixture
def run_node(automation: MakeAutomation) -> RunNode:
    """Publish an automation of one node, begin a run, carry it on, and return the node's step."""

    def run(kind: str, settings: dict[str, Any], *, key: str = "1", **values: Any) -> RunStep:
        made = automation(NodeSpec("n1", kind, settings), name=f"Of {kind} {key}")
        begun = begin(made, key, **values)
        assert begun is not None
        carry_on()
        return step_of(begun)

    return run


@pytest.fixture
def try_node(cast: Cast) -> RunNode:
    """Try a node in a test run, and return its step."""

    def run(kind: str, settings: dict[str, Any], *, data: Any = None, phone: str = PHONE, **values: Any) -> RunStep:
        flow = Flow(trigger="test", nodes=(NodeSpec("n1", kind, settings),), count=1)
        made = create(cast.organization, name=f"Trial of {kind}", flow=flow, actor=cast.admin)
        begun = begin_test(made, data=data or {}, phone=phone, **values)
        carry_on()
        return step_of(begun)

    return run


def step_of(run: Run) -> RunStep:
    run.refresh_from_db()
    return run.steps.get(node="n1")


Problems = Callable[..., list[str]]


@pytest.fixture
def problems(cast: Cast) -> Problems:
    """Return what is wrong with a node's settings, in words."""

    def find(kind: str, settings: dict[str, Any]) -> list[str]:
        spec = NodeSpec("n1", kind, settings)
        flow = Flow(trigger="test", nodes=(spec,), count=1)
        found: list[Problem] = problems_of_node(scope_at(cast.organization, flow, "n1"), spec)
        return [problem.text for problem in found]

    return find
