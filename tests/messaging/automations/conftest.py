"""Automations made of nodes and triggers of tests, and an engine that is driven by hand."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from messaging.automations import engine, hearing
from messaging.automations.base import Again, Done, Node, NodeFailed, Outcome, Start, Step, Trigger, TryLater, Wait
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import Automation, Run
from messaging.automations.publishing import create, publish
from messaging.automations.registry import _nodes, _triggers, register_nodes, register_triggers
from messaging.automations.starting import start_runs
from messaging.contacts.models import Contact, Tag
from tests.conftest import Cast


class TestTrigger(Trigger):
    """Set off by hand, or by the happening `test.thing`."""

    __test__ = False
    key, title, text = "test", "Test", "Of a test."
    kinds = ("test.thing",)


class ActNode(Node):
    """Does what its setting `do` says; tags the contact, so that one can see how often it was done."""

    key, title, text = "act", "Act", "Of a test."

    def outlets(self, settings: Any) -> dict[str, str]:
        return {"yes": "Yes", "no": "No"} if settings.get("has_branches") else {}

    def run(self, step: Step) -> Outcome:
        visit = step.memory.get("visits", 0)
        Tag.objects.create(organization=step.organization, name=f"{step.spec.id} {step.run.key} {visit}".rstrip(" 0"))
        return act(step)


class OutsideNode(ActNode):
    """The same, with somebody outside."""

    key, is_outside = "outside", True

    def run(self, step: Step) -> Outcome:
        return act(step)


def act(step: Step) -> Outcome:
    step.shown = {"asked": str(step.settings.get("do", ""))}
    seen = step.memory.setdefault("visits", 0)
    step.memory["visits"] = seen + 1
    if step.settings.get("do") == "break":
        Tag.objects.create(pk=Tag.objects.values_list("pk").first()[0], name="twice")
    match step.settings.get("do", ""):
        case "fail":
            raise NodeFailed("no_luck", "It did not work. Try something else.")
        case "later":
            raise TryLater("busy", "Nobody was there.")
        case "crash":
            raise RuntimeError("a bug")
        case "wait" if not seen:
            return Wait(step.now + timedelta(hours=1), wake_key="test:1")
        case "again" if seen < 3:
            return Again()
        case "say":
            return Done({"said": step.text("text")})
    return Done({"visits": seen + 1}, branch=str(step.settings.get("branch", "")))


@pytest.fixture(autouse=True)
def kinds_of_tests() -> Iterator[None]:
    register_triggers([TestTrigger()])
    register_nodes([ActNode(), OutsideNode()])
    yield
    _triggers.pop("test"), _nodes.pop("act"), _nodes.pop("outside")


def spec(node_id: str, do: str = "", *, kind: str = "act", branches: Any = None, **settings: Any) -> NodeSpec:
    return NodeSpec(node_id, kind, {"do": do, **settings}, branches or {})


MakeAutomation = Callable[..., Automation]


@pytest.fixture
def automation(cast: Cast) -> MakeAutomation:
    """Publish an automation of these nodes: `automation(spec("n1"), spec("n2"))`."""

    def make(*nodes: NodeSpec, name: str = "Welcome", trigger: str = "test", **values: Any) -> Automation:
        flow = Flow(trigger=trigger, nodes=nodes, count=len(nodes))
        made = create(cast.organization, name=name, flow=flow, actor=cast.admin)
        Automation.objects.filter(pk=made.pk).update(**values)
        made.refresh_from_db()
        publish(made, actor=cast.admin)
        return made

    return make


def begin(automation: Automation, key: str = "1", *, contact: Contact | None = None, **values: Any) -> Run | None:
    made = start_runs(automation, [Start(key=key, contact_id=contact.pk if contact else None, **values)])
    return made[0] if made else None


def carry_on(*, rounds: int = 20) -> None:
    """Do everything that is due, as workers do."""
    for _ in range(rounds):
        if not hearing.hear_all() + engine.work(seconds=5) + engine.act(seconds=5):
            return


def hours_pass(run: Run, hours: float = 2) -> None:
    """Let what the run waits for be over."""
    Run.objects.filter(pk=run.pk).update(due_at=Now() - timedelta(hours=hours))
