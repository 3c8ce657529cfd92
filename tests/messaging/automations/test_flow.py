"""A flow is a value: reading, walking, changing it, and what follows what."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.automations.flow import DEEPEST, MOST_NODES, Flow, FlowProblem, NodeSpec, Place, read


def node(number: int, **branches: tuple[NodeSpec, ...]) -> NodeSpec:
    return NodeSpec(f"n{number}", "act", {}, branches)


FLOW = Flow(trigger="test", nodes=(node(1, yes=(node(2), node(3)), no=(node(4),)), node(5)), count=5)


def order(flow: Flow) -> list[str]:
    return [one.id for one in flow.walk()]


def test_it_is_read_as_it_was_written() -> None:
    assert read(FLOW.as_json()) == FLOW


@pytest.mark.parametrize(
    ("from_", "branch", "to"),
    [("n1", "yes", "n2"), ("n1", "no", "n4"), ("n1", "", "n5"), ("n2", "", "n3"), ("n3", "", "n5"), ("n4", "", "n5"),
     ("n5", "", ""), ("n9", "", "")],
)  # fmt: skip
def test_what_follows(from_: str, branch: str, to: str) -> None:
    assert FLOW.after(from_, branch=branch) == to


def test_what_may_be_known_is_what_stands_before() -> None:
    assert [one.id for one in FLOW.before("n3")] == ["n1", "n2"]
    assert [one.id for one in FLOW.before("n4")] == ["n1"]
    assert [one.id for one in FLOW.before("n5")] == ["n1", "n2", "n3", "n4"]


def test_an_id_is_never_given_again() -> None:
    shorter = FLOW.remove("n5")
    longer, made = shorter.insert("act", {}, at=Place(index=9))
    assert made == "n6" and order(longer)[-1] == "n6"
    assert read(shorter.as_json()).insert("act", {}, at=Place())[1] == "n6"


def test_a_copy_has_ids_of_its_own_branches_included() -> None:
    copied, made = FLOW.duplicate("n1")
    assert order(copied) == ["n1", "n2", "n3", "n4", "n6", "n7", "n8", "n9", "n5"] and made == "n6"


@pytest.mark.parametrize(
    ("what", "to", "after"),
    [
        ("n5", Place(), ["n5", "n1", "n2", "n3", "n4"]),
        ("n1", Place(index=2), ["n5", "n1", "n2", "n3", "n4"]),
        ("n1", Place(index=1), ["n1", "n2", "n3", "n4", "n5"]),
        ("n3", Place("n1", "no", 0), ["n1", "n2", "n3", "n4", "n5"]),
        ("n4", Place("n1", "yes", 1), ["n1", "n2", "n4", "n3", "n5"]),
        ("n5", Place("n1", "other", 0), ["n1", "n2", "n3", "n4", "n5"]),
    ],
)
def test_a_node_is_moved(what: str, to: Place, after: list[str]) -> None:
    assert order(FLOW.move(what, to=to)) == after


def test_a_node_cannot_be_moved_into_itself() -> None:
    with pytest.raises(FlowProblem, match="own branch"):
        FLOW.move("n1", to=Place("n1", "yes", 0))


@pytest.mark.parametrize("change", ["remove", "duplicate"])
def test_what_is_gone_is_said(change: str) -> None:
    with pytest.raises(FlowProblem, match="not there any more"):
        getattr(FLOW, change)("n77")


def test_settings_are_changed_deep_inside() -> None:
    changed = FLOW.configure("n3", {"a": 1}).find("n3")
    assert changed is not None and changed.settings == {"a": 1}


def test_it_does_not_grow_without_end() -> None:
    flow = Flow()
    for _ in range(MOST_NODES):
        flow, _made = flow.insert("act", {}, at=Place())
    with pytest.raises(FlowProblem, match="at most 50 steps"):
        flow.insert("act", {}, at=Place())
    deep, parent = Flow().insert("act", {}, at=Place())
    for _ in range(DEEPEST - 1):
        deep, parent = deep.insert("act", {}, at=Place(parent, "yes"))
    with pytest.raises(FlowProblem, match="at most 5 deep"):
        deep.insert("act", {}, at=Place(parent, "yes"))


@pytest.mark.parametrize(
    "stored",
    [
        [], "x", None, {"nodes": {}}, {"nodes": ["x"]}, {"nodes": [{"id": "1"}]}, {"trigger": 3},
        {"nodes": [{"id": "n1", "settings": 3}]}, {"trigger": {"settings": []}},
        {"nodes": [{"id": "n1"}, {"id": "n1"}]},
        {"nodes": [{"id": "n1", "branches": {"yes": 4}}]}, {"nodes": [{"id": "nn"}]}, {"nodes": [{"id": "n99999999"}]},
    ],
)  # fmt: skip
def test_what_is_no_flow_is_refused_in_words(stored: Any) -> None:
    with pytest.raises(FlowProblem):
        read(stored)


_names = st.sampled_from(["id", "kind", "settings", "branches", "nodes", "trigger", "yes"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


@given(_json)
def test_reading_never_crashes(stored: Any) -> None:
    try:
        flow = read(stored)
    except FlowProblem:
        return
    assert read(flow.as_json()) == flow
