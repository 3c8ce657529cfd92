"""Files that somebody wrote by hand: whatever stands in them, no page breaks, and nobody's ids but one's own count."""

import json
from typing import Any

import pytest

from messaging.automations.checking import problems_of
from messaging.automations.copying import FileProblem, as_file, take
from messaging.automations.display import describe_trigger, flow_shown, nodes_of
from messaging.automations.drawing import draw
from messaging.automations.fields import Field, Type
from messaging.automations.flow import read
from messaging.automations.models import Automation
from messaging.automations.panel import open_panel
from messaging.automations.publishing import AutomationProblem, publish
from messaging.automations.registry import every_node, every_trigger
from messaging.automations.scopes import scope_at
from messaging.automations.trying import SampleProblem, read_fields, trigger_fields
from messaging.contacts.models import Tag
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

JUNK: list[Any] = [7, True, "x" * 300, "{{", ["a", 1], {"a": {"b": [1]}}, [[{"what": 1}]]]
KINDS = [*(("trigger", one.key) for one in every_trigger()), *(("node", one.key) for one in every_node())]


def file_of(*, trigger: dict[str, Any] | None = None, nodes: Any = (), name: Any = "Wild") -> str:
    flow = {"trigger": trigger or {"kind": "schedule", "settings": {"every": "day", "at": "09:00"}}, "nodes": nodes}
    return json.dumps({"format": "heliograph-automation", "version": 1, "name": name, "flow": flow})


def names_of(kind: str, key: str, cast: Cast) -> list[str]:
    known = {one.key: one for one in (every_trigger() if kind == "trigger" else every_node())}[key]
    form = known.form({}, scope=scope_at(cast.organization, read({})))
    return [*form.fields, "groups", "values", "value"]


def look_at_everything(automation: Automation, cast: Cast) -> None:
    """Do what the pages of an automation do."""
    flow = read(automation.draft)
    draw(cast.organization, flow, automation=automation)
    for card in ("trigger", "n1"):
        panel = open_panel(cast.organization, flow, card, automation=automation)
        if panel is not None:
            str(panel.form)
    describe_trigger(cast.organization, flow_shown(automation), automation=automation)
    nodes_of(flow)
    trigger_fields(cast.organization, flow, automation=automation)
    as_file(automation)
    if problems_of(cast.organization, flow, automation=automation):
        with pytest.raises(AutomationProblem):
            publish(automation, actor=cast.admin)


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_settings_of_any_shape_break_no_page(kind: str, key: str, cast: Cast) -> None:
    for junk in JUNK:
        settings = dict.fromkeys(names_of(kind, key, cast), junk)
        if kind == "trigger":
            text = file_of(trigger={"kind": key, "settings": settings}, nodes=[{"id": "n1", "kind": "stop"}])
        else:
            text = file_of(nodes=[{"id": "n1", "kind": key, "settings": settings}])
        try:
            taken = take(cast.organization, text, actor=cast.admin)
        except FileProblem:
            continue
        look_at_everything(taken.automation, cast)


def test_settings_that_a_form_would_refuse_stay_to_be_mended(cast: Cast) -> None:
    text = file_of(nodes=[{"id": "n1", "kind": "wait", "settings": {"how": "duration", "amount": 10_000_000}}])
    made = take(cast.organization, text, actor=cast.admin).automation
    assert read(made.draft).nodes[0].settings["amount"] == 10_000_000


@pytest.mark.parametrize(
    "text",
    [
        file_of(nodes=[{"id": "n1", "kind": "stop", "settings": {"a": "b\x00"}}]),
        file_of(nodes=[{"id": "n1", "kind": "stop", "settings": {"a": "\ud800"}}]),
        file_of(nodes=[{"id": "n1", "kind": "stop", "settings": {"a": float("nan")}}]),
        file_of().replace("09:00", "9").replace('"9"', "1e999"),
        file_of(nodes=[{"id": "n1", "kind": "stop", "settings": {"a": json.loads("[" * 300 + "]" * 300)}}]),
    ],
    ids=["NUL", "half a pair", "NaN", "infinite", "deep"],
)
def test_a_file_that_cannot_be_stored_is_refused_in_words(cast: Cast, text: str) -> None:
    with pytest.raises(FileProblem) as refused:
        take(cast.organization, text, actor=cast.admin)
    assert str(refused.value).endswith(".") and not Automation.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", None, "\u202e", 7, ["x"]])
def test_a_file_without_a_name_is_taken_all_the_same(cast: Cast, name: Any) -> None:
    assert take(cast.organization, file_of(name=name), actor=cast.admin).automation.name


def test_ids_of_another_organization_are_nobodys(cast: Cast) -> None:
    theirs = Tag.objects.create(organization=cast.other, name="Theirs")
    settings = {"to": "tag", "tag": str(theirs.pk), "text": "Hi", "filter": {"$": "tag", "name": "Theirs"}}
    text = file_of(nodes=[{"id": "n1", "kind": "send_sms", "settings": settings}])
    taken = take(cast.organization, text, actor=cast.admin)
    assert str(theirs.pk) not in json.dumps(taken.automation.draft)
    assert [one.name for one in taken.missing] == ["Theirs"]
    drafted = json.loads(file_of(nodes=[{"id": "n1", "kind": "send_sms", "settings": settings | {"filter": ""}}]))
    found = problems_of(cast.organization, read(drafted["flow"]))
    assert any("This tag was deleted" in one.text for one in found)


@pytest.mark.parametrize(("kind", "text"), [(Type.NUMBER, "nan"), (Type.NUMBER, "inf"), (Type.NUMBER, "1e999")])
def test_sample_data_that_is_no_number_is_refused(kind: Type, text: str) -> None:
    with pytest.raises(SampleProblem):
        read_fields([Field("trigger.a", "A", kind)], {"trigger.a": text})


def test_sample_data_can_be_stored() -> None:
    assert read_fields([Field("trigger.a", "A")], {"trigger.a": "x\x00y"}) == {"trigger": {"a": "xy"}}
