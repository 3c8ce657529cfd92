"""Steps and triggers of tests with settings of their own, and drafts to build on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django import forms

from messaging.automations.base import Done, Node, Outcome, Scope, SettingsForm, Step, Trigger
from messaging.automations.fields import Field, Type
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import Automation
from messaging.automations.publishing import create
from messaging.automations.registry import _nodes, _triggers, register_nodes, register_triggers
from tests.conftest import Cast


class SayForm(SettingsForm):
    text = forms.CharField(
        label="Text", max_length=300, widget=forms.Textarea(attrs={"data-variables": "yes"}), error_messages={
            "required": "Write what to say."
        },
    )  # fmt: skip
    loud = forms.BooleanField(label="Loud", required=False)


class SayNode(Node):
    """Says a text, and knows it afterwards."""

    key, title, text, group = "say", "Say", "Say a text.", "Tests"
    form = SayForm

    def fields(self, scope: Scope, settings: Any) -> list[Field]:
        return [Field(f"{scope.node_id}.said", "What was said", Type.TEXT, "Hello")]

    def describe(self, scope: Scope, settings: Any) -> str:
        return f"Say “{settings['text']}”" if settings.get("text") else self.title

    def run(self, step: Step) -> Outcome:
        step.shown["text"] = step.text("text")
        return Done({"said": step.text("text")})


class ForkNode(Node):
    """Goes one of two ways."""

    key, title, text, group = "fork", "Fork", "One of two ways.", "Tests"

    def outlets(self, settings: Any) -> dict[str, str]:
        return {"yes": "Yes", "no": "No"}

    def run(self, step: Step) -> Outcome:
        return Done({}, branch="yes")


class OrderForm(SettingsForm):
    shop = forms.CharField(label="Shop", max_length=40)


class OrderTrigger(Trigger):
    """An order of a shop."""

    key, title, text, group = "order", "Order", "An order comes in.", "Tests"
    form = OrderForm

    def fields(self, scope: Scope, settings: Any) -> list[Field]:
        return [
            Field("trigger.number", "Number of the order", Type.NUMBER, 17),
            Field("trigger.is_gift", "Gift", Type.YES_NO, True),
        ]

    def describe(self, scope: Scope, settings: Any) -> str:
        return f"When {settings.get('shop', 'a shop')} gets an order"


@pytest.fixture(autouse=True)
def kinds_with_settings() -> Iterator[None]:
    register_triggers([OrderTrigger()])
    register_nodes([SayNode(), ForkNode()])
    yield
    _triggers.pop("order"), _nodes.pop("say"), _nodes.pop("fork")


Begin = Callable[..., Automation]


def say(node_id: str, text: str = "Hello") -> NodeSpec:
    return NodeSpec(node_id, "say", {"text": text})


@pytest.fixture
def begin_draft(cast: Cast) -> Begin:
    """Begin an automation of an order with these steps."""

    def make(*nodes: NodeSpec, trigger: str = "order", count: int = 0, **settings: Any) -> Automation:
        flow = Flow(trigger, settings or {"shop": "Harbour"}, nodes, count or len(nodes))
        return create(cast.organization, name="Orders", flow=flow, actor=cast.owner)

    return make
