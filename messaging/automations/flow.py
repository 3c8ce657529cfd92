"""What an automation does, as a value: a trigger, and nodes one below the other, some with branches.

After its branch a node with branches goes on with the node below it. Node ids are `n1`, `n2`, …; they are never given
again, because variables name them: `{{ n2.sid }}`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST_NODES = 50
DEEPEST = 5


class FlowProblem(Exception):
    """A flow cannot be changed or read like this; the text is for the person who builds it."""


@dataclass(frozen=True)
class NodeSpec:
    """One node as it was configured; `branches` are the nodes of each of its outlets, by the outlet's key."""

    id: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    branches: Mapping[str, tuple["NodeSpec", ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the node in a form that JSON takes."""
        made: dict[str, Any] = {"id": self.id, "kind": self.kind, "settings": dict(self.settings)}
        if self.branches:
            made["branches"] = {key: [node.as_json() for node in nodes] for key, nodes in self.branches.items()}
        return made


@dataclass(frozen=True)
class Place:
    """Where a node stands or shall stand: in a branch of a node ("" for the flow itself), before the one at `index`."""

    parent: str = ""
    branch: str = ""
    index: int = 0


@dataclass(frozen=True)
class Flow:
    """A trigger's kind ("" while none is chosen) and settings, and the nodes; `count` is how many ids were given."""

    trigger: str = ""
    trigger_settings: Mapping[str, Any] = field(default_factory=dict)
    nodes: tuple[NodeSpec, ...] = ()
    count: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the flow in a form that JSON takes; `read` reads it."""
        return {
            "trigger": {"kind": self.trigger, "settings": dict(self.trigger_settings)},
            "nodes": [node.as_json() for node in self.nodes],
            "count": self.count,
        }

    def walk(self) -> Iterator[NodeSpec]:
        """Yield every node, from top to bottom, a node before what is in its branches."""
        yield from _walk(self.nodes)

    def find(self, node_id: str) -> NodeSpec | None:
        """Return the node of this id."""
        return next((node for node in self.walk() if node.id == node_id), None)

    @property
    def first(self) -> str:
        """The id of the node to begin with, "" where there is none."""
        return self.nodes[0].id if self.nodes else ""

    def after(self, node_id: str, *, branch: str = "") -> str:
        """Return the id of the node that follows, by the branch that was taken; "" at the end."""
        node = self.find(node_id)
        if node is None:
            return ""
        inside = node.branches.get(branch, ()) if branch else ()
        return inside[0].id if inside else _below(self.nodes, node_id) or ""

    def before(self, node_id: str) -> list[NodeSpec]:
        """Return the nodes whose output may be known where this one stands, from top to bottom.

        Those in a branch that ended above may not have been gone through: their output may be missing.
        """
        return _before(self.nodes, node_id) or []

    def place_of(self, node_id: str) -> Place:
        """Return where a node stands; raise FlowProblem where there is no such node."""
        for parent, branch, nodes in self._lists():
            for index, node in enumerate(nodes):
                if node.id == node_id:
                    return Place(parent, branch, index)
        raise FlowProblem("This step is not there any more. Load the page again.")

    def insert(self, kind: str, settings: Mapping[str, Any], *, at: Place) -> tuple["Flow", str]:
        """Return the flow with a new node, and the node's id."""
        node_id = f"n{self.count + 1}"
        return self._put(NodeSpec(node_id, kind, dict(settings)), at=at, count=self.count + 1), node_id

    def remove(self, node_id: str) -> "Flow":
        """Return the flow without a node and what is in its branches."""
        place = self.place_of(node_id)
        return self._change(place, lambda nodes: nodes[: place.index] + nodes[place.index + 1 :])

    def move(self, node_id: str, *, to: Place) -> "Flow":
        """Return the flow with a node elsewhere, branches and all; `to` counts with the node still there."""
        node, here = self.find(node_id), self.place_of(node_id)
        if node is None or to.parent == node_id or any(inner.id == to.parent for inner in _inside(node)):
            raise FlowProblem("A step cannot be moved into its own branch.")
        same_list = (to.parent, to.branch) == (here.parent, here.branch)
        index = to.index - 1 if same_list and to.index > here.index else to.index
        return self.remove(node_id)._put(node, at=replace(to, index=index), count=self.count)

    def duplicate(self, node_id: str) -> tuple["Flow", str]:
        """Return the flow with a copy of a node below it, and the copy's id."""
        node, place = self.find(node_id), self.place_of(node_id)
        if node is None:
            raise FlowProblem("This step is not there any more. Load the page again.")
        numbers = iter(range(self.count + 1, self.count + 1 + 1 + sum(1 for _ in _inside(node))))
        copy = _renumbered(node, numbers)
        count = self.count + 1 + sum(1 for _ in _inside(node))
        return self._put(copy, at=replace(place, index=place.index + 1), count=count), copy.id

    def configure(self, node_id: str, settings: Mapping[str, Any]) -> "Flow":
        """Return the flow with other settings of a node."""
        place = self.place_of(node_id)

        def changed(nodes: tuple[NodeSpec, ...]) -> tuple[NodeSpec, ...]:
            node = replace(nodes[place.index], settings=dict(settings))
            return (*nodes[: place.index], node, *nodes[place.index + 1 :])

        return self._change(place, changed)

    def with_trigger(self, kind: str, settings: Mapping[str, Any]) -> "Flow":
        """Return the flow with another trigger."""
        return replace(self, trigger=kind, trigger_settings=dict(settings))

    def _lists(self) -> Iterator[tuple[str, str, tuple[NodeSpec, ...]]]:
        yield "", "", self.nodes
        for node in self.walk():
            for branch, nodes in node.branches.items():
                yield node.id, branch, nodes

    def _put(self, node: NodeSpec, *, at: Place, count: int) -> "Flow":
        if at.parent and self.find(at.parent) is None:
            raise FlowProblem("The step that this one should stand in is not there any more. Load the page again.")

        def put(nodes: tuple[NodeSpec, ...]) -> tuple[NodeSpec, ...]:
            index = max(0, min(at.index, len(nodes)))
            return (*nodes[:index], node, *nodes[index:])

        made = replace(self._change(at, put), count=count)
        _check_size(made)
        return made

    def _change(self, at: Place, change: Callable[[tuple[NodeSpec, ...]], tuple[NodeSpec, ...]]) -> "Flow":
        if not at.parent:
            return replace(self, nodes=change(self.nodes))
        return replace(self, nodes=tuple(_changed_inside(node, at, change) for node in self.nodes))


def read(stored: Any) -> Flow:
    """Read what `as_json` returned, or a person wrote; raise FlowProblem for what is no flow."""
    if not isinstance(stored, Mapping):
        raise FlowProblem("This is no automation: a JSON object is expected.")
    trigger = stored.get("trigger") or {}
    if not isinstance(trigger, Mapping) or not isinstance(trigger.get("settings", {}), Mapping):
        raise FlowProblem("The trigger cannot be read.")
    nodes = _read_nodes(stored.get("nodes", []), depth=1)
    ids = [node.id for node in _walk(nodes)]
    if len(set(ids)) != len(ids):
        raise FlowProblem("Two steps have the same id.")
    highest = max((int(one[1:]) for one in ids), default=0)
    count = stored.get("count", 0)
    flow = Flow(
        trigger=str(trigger.get("kind", ""))[:40],
        trigger_settings=dict(trigger.get("settings", {})),
        nodes=nodes,
        count=max(highest, count if isinstance(count, int) and 0 <= count < 10**6 else 0),
    )
    _check_size(flow)
    return flow


def _read_nodes(stored: Any, *, depth: int) -> tuple[NodeSpec, ...]:
    if not isinstance(stored, list):
        raise FlowProblem("The steps cannot be read: a list is expected.")
    if depth > DEEPEST:
        raise FlowProblem(f"Branches within branches go at most {DEEPEST} deep.")
    return tuple(_read_node(one, depth=depth) for one in stored)


def _read_node(stored: Any, *, depth: int) -> NodeSpec:
    if not isinstance(stored, Mapping):
        raise FlowProblem("A step cannot be read: a JSON object is expected.")
    node_id, settings, branches = stored.get("id"), stored.get("settings", {}), stored.get("branches", {})
    if not isinstance(node_id, str) or not (node_id[:1] == "n" and node_id[1:].isdecimal() and len(node_id) <= 7):
        raise FlowProblem("A step has no id like n1.")
    if not isinstance(settings, Mapping) or not isinstance(branches, Mapping):
        raise FlowProblem(f"The step {node_id} cannot be read.")
    return NodeSpec(
        id=node_id,
        kind=str(stored.get("kind", ""))[:40],
        settings=dict(settings),
        branches={str(key)[:40]: _read_nodes(nodes, depth=depth + 1) for key, nodes in branches.items()},
    )


def _check_size(flow: Flow) -> None:
    if sum(1 for _ in flow.walk()) > MOST_NODES:
        raise FlowProblem(f"An automation has at most {MOST_NODES} steps. Let a second one go on where this one ends.")
    if _depth(flow.nodes) > DEEPEST:
        raise FlowProblem(f"Branches within branches go at most {DEEPEST} deep.")


def _depth(nodes: tuple[NodeSpec, ...]) -> int:
    inside = (branch for node in nodes for branch in node.branches.values())
    return 1 + max((_depth(branch) for branch in inside), default=0) if nodes else 0


def _walk(nodes: tuple[NodeSpec, ...]) -> Iterator[NodeSpec]:
    for node in nodes:
        yield node
        yield from _inside(node)


def _inside(node: NodeSpec) -> Iterator[NodeSpec]:
    for branch in node.branches.values():
        yield from _walk(branch)


def _below(nodes: tuple[NodeSpec, ...], node_id: str, *, then: str = "") -> str | None:
    """Return what follows a node in these nodes or their branches, `then` after the last; None where it is not here."""
    for index, node in enumerate(nodes):
        following = nodes[index + 1].id if index + 1 < len(nodes) else then
        if node.id == node_id:
            return following
        for branch in node.branches.values():
            found = _below(branch, node_id, then=following)
            if found is not None:
                return found
    return None


def _before(nodes: tuple[NodeSpec, ...], node_id: str) -> list[NodeSpec] | None:
    passed: list[NodeSpec] = []
    for node in nodes:
        if node.id == node_id:
            return passed
        for branch in node.branches.values():
            found = _before(branch, node_id)
            if found is not None:
                return [*passed, node, *found]
        passed += [node, *_inside(node)]
    return None


def _changed_inside(
    node: NodeSpec, at: Place, change: Callable[[tuple[NodeSpec, ...]], tuple[NodeSpec, ...]]
) -> NodeSpec:
    branches = {
        key: tuple(_changed_inside(inner, at, change) for inner in nodes) for key, nodes in node.branches.items()
    }
    if node.id == at.parent:
        branches[at.branch] = change(branches.get(at.branch, ()))
    return replace(node, branches=branches)


def _renumbered(node: NodeSpec, numbers: Iterator[int]) -> NodeSpec:
    node_id = f"n{next(numbers)}"
    branches = {key: tuple(_renumbered(inner, numbers) for inner in nodes) for key, nodes in node.branches.items()}
    return replace(node, id=node_id, branches=branches)
