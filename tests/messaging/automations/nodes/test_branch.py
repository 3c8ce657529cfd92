"""Branch: typed comparisons, and and or; what is missing compares as empty, and nothing crashes."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from messaging.automations.fields import Type
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import RunStep
from messaging.automations.nodes.branching.comparing import OPERATIONS, Now, compare, why_not
from messaging.automations.registry import node_of
from messaging.automations.scopes import scope_at
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.models import Contact, Tag
from tests.conftest import Cast
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, spec

from .conftest import PHONE, Problems, RunNode

NOW = Now(datetime(2026, 3, 29, 12, 0, tzinfo=UTC), ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("kind", "value", "operation", "wanted", "holds"),
    [
        ("text", " Gold ", "is", "gold", True),
        ("text", "Gold", "is_not", "silver", True),
        ("text", None, "is", "", True),
        ("text", None, "is_not", "gold", True),
        ("text", "Golden", "contains", "OLD", True),
        ("text", "Golden", "contains", "", False),
        ("text", None, "contains", "x", False),
        ("text", "Golden", "begins", "gold", True),
        ("text", "b", "in", "A, B ,c", True),
        ("text", "", "in", ",", False),
        ("text", {"a": 1}, "empty", "", True),
        ("text", 0, "empty", "", False),
        ("text", "x", "filled", "", True),
        ("choice", "Gold", "is", "gold", True),
        ("number", "12.50", "is", "12.5", True),
        ("number", 3, "lt", "3", False),
        ("number", 3, "le", "3", True),
        ("number", "1 000", "gt", "999", True),
        ("number", 3, "ge", "4", False),
        ("number", None, "lt", "3", False),
        ("number", "abc", "is_not", "3", True),
        ("number", float("nan"), "gt", "3", False),
        ("number", True, "is", "1", False),
        ("date", "2026-03-28", "before", "2026-03-29", True),
        ("date", "2026-03-29", "after", "2026-03-29", False),
        ("date", "2026-03-30", "after", "today", True),
        ("date", "not a day", "before", "2026-03-29", False),
        ("date", "2026-03-29", "is", "today", True),
        ("date", "2026-03-22", "last_days", "7", True),
        ("date", "2026-03-21", "last_days", "7", False),
        ("date", "2026-04-05", "next_days", "7", True),
        ("date", "2026-04-05", "next_days", "999999999999", False),
        ("moment", "2026-03-29T13:00:00+00:00", "after", "now", True),
        ("moment", "2026-03-29 13:59", "before", "now", True),  # 11:59 in UTC: the organization's zone
        ("moment", "2026-03-29T23:30:00+02:00", "after", "2026-03-29", False),
        ("moment", "2026-03-28T12:00:01+00:00", "last_days", "1", True),
        ("moment", "2026-03-29T12:00:01+00:00", "last_days", "1", False),
        ("yes_no", "TRUE", "yes", "", True),
        ("yes_no", False, "no", "", True),
        ("yes_no", None, "no", "", False),
        ("yes_no", None, "empty", "", True),
        ("number", 3, "contains", "3", False),
        ("number", 3, "nonsense", "3", False),
    ],
)
def test_values_are_compared_by_type(kind: str, value: Any, operation: str, wanted: str, holds: bool) -> None:
    assert compare(value, operation, wanted, kind=Type(kind), now=NOW) is holds


@pytest.mark.parametrize("kind", list(Type))
@pytest.mark.parametrize(
    "value", [None, "", "x", "\x00", 10**400, float("inf"), {}, [], True, "9999-12-31", "0001-01-01"]
)
def test_nothing_crashes(kind: Type, value: Any) -> None:
    for operation in OPERATIONS:
        for wanted in ("", "x", "0001-01-01", "9999-12-31T23:59", "1e999999", "-1", str(value)):
            assert compare(value, operation, wanted, kind=kind, now=NOW) in (True, False)


def test_what_cannot_be_compared_is_said() -> None:
    assert "cannot be compared" in why_not("lt", "3", kind=Type.TEXT, now=NOW)
    assert "Write a number" in why_not("lt", "many", kind=Type.NUMBER, now=NOW)
    assert "Write a date" in why_not("before", "soon", kind=Type.DATE, now=NOW)
    assert "from 1 to" in why_not("last_days", "0", kind=Type.DATE, now=NOW)
    assert "Write what" in why_not("is", " ", kind=Type.TEXT, now=NOW)
    assert not why_not("is", "{{ trigger.order }}", kind=Type.NUMBER, now=NOW)


def condition(what: str, op: str, value: str = "", kind: str = "text") -> dict[str, str]:
    tag = {"tag": what.removeprefix(":tag:")} if what.startswith(":tag:") else {}
    return {"what": ":tag" if tag else what, "op": op, "value": value, "type": kind, **tag}


def way(run_node: RunNode, groups: Any, key: str = "1", **values: Any) -> str:
    step = run_node("branch", {"groups": groups}, key=key, **values)
    assert step.status == "done", step.detail
    return step.branch


@pytest.mark.django_db
def test_and_binds_more_than_or(run_node: RunNode) -> None:
    gold, rich = condition("trigger.plan", "is", "gold", "choice"), condition("trigger.total", "gt", "100", "number")
    paid = condition("trigger.paid", "yes", kind="yes_no")
    groups = [[gold, rich], [paid]]
    assert way(run_node, groups, "1", data={"plan": "gold", "total": 5}) == "no"
    assert way(run_node, groups, "2", data={"plan": "gold", "total": "100.01"}) == "yes"
    assert way(run_node, groups, "3", data={"paid": True}) == "yes"
    assert way(run_node, groups, "4") == "no"


@pytest.mark.django_db
def test_the_run_takes_the_branch_and_shows_why(automation: MakeAutomation) -> None:
    settings = {"groups": [[condition("trigger.order", "is", "{{ trigger.plan }}")]]}
    branch = NodeSpec("n1", "branch", settings, {"yes": (spec("n2"),), "no": (spec("n3"),)})
    run = begin(automation(branch, spec("n4")), data={"order": "A-7", "plan": "a-7"})
    assert run is not None
    carry_on()
    steps = list(run.steps.all())
    assert [step.node for step in steps] == ["n1", "n2", "n4"]
    assert steps[0].input == {"trigger.order is a-7": "yes; it was A-7"} and steps[0].output == {"result": "yes"}


@pytest.mark.django_db
def test_the_contact_is_asked(run_node: RunNode, contact: Contact, cast: Cast) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    stopped, tagged = condition(":opted_out", "yes", kind="yes_no"), condition(f":tag:{tag.pk}", "yes", kind="yes_no")
    agreed = condition(":consent", "no", kind="yes_no")
    assert way(run_node, [[stopped], [tagged]], "1", contact=contact) == "no"
    assert way(run_node, [[agreed]], "2", contact=contact) == "yes"
    contact.tags.add(tag)
    assert way(run_node, [[tagged]], "3", contact=contact) == "yes"
    shown = RunStep.objects.get(run__key="3").input
    assert shown == {"Contact: has the tag VIP is yes": "yes; it was yes"}
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF)
    assert way(run_node, [[stopped]], "4", contact=contact) == "yes"
    assert way(run_node, [[stopped], [tagged], [agreed]], "5") == "no"


@pytest.mark.django_db
def test_what_the_step_lacks_is_said(problems: Problems, cast: Cast) -> None:
    foreign = Tag.objects.create(organization=cast.other, name="Theirs")
    expected = [
        ([], "Choose what to look at."),
        ([[condition("trigger.gone", "is", "x")]], "is not known here any more"),
        ([[condition("trigger.total", "contains", "x", "number")]], "cannot be compared"),
        ([[condition("trigger.total", "lt", "x", "number")]], "Write a number"),
        ([[condition(f":tag:{foreign.pk}", "yes", kind="yes_no")]], "is not known here any more"),
        ([[condition("trigger.total", "is", "3", "text")]], "of another type by now"),
        ("nonsense", "Choose what to look at."),
    ]
    for groups, sentence in expected:
        assert any(sentence in one for one in problems("branch", {"groups": groups})), groups
    assert problems("branch", {"groups": [[condition("trigger.total", "is", "3", "number")]]}) == []


@pytest.mark.django_db
def test_the_form_keeps_groups(cast: Cast) -> None:
    node = node_of("branch")
    assert node is not None
    scope = scope_at(cast.organization, Flow(trigger="test", nodes=(NodeSpec("n1", "branch"),), count=1), "n1")
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    groups = [
        [condition("trigger.total", "gt", "3", "number"), {"what": "trigger.paid", "op": "yes", "type": "yes_no"}],
        [{"what": ":tag", "tag": str(tag.pk), "op": "yes", "type": "yes_no"}],
        [condition("trigger.order", "is", "x")],
    ]
    form = node.form(node.form.to_data({"groups": groups}), scope=scope)
    assert form.is_valid(), form.errors
    assert form.to_settings() == {"groups": groups} and "what_4" in form.fields and "what_5" not in form.fields
    words = node.describe(scope, {"groups": groups})
    assert words == "If Total is more than 3 and Paid is yes, or Contact: has the tag VIP is yes, or Order is x"
