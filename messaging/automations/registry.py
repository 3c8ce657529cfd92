"""The kinds of triggers and nodes: each room, and each wing above, registers its own from `AppConfig.ready()`."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping

from .base import Node, Trigger

_triggers: dict[str, Trigger] = {}
_nodes: dict[str, Node] = {}
# From ids of messages to the ids of the steps that had them sent.
CauseFinder = Callable[[Collection[str]], Mapping[uuid.UUID, uuid.UUID]]
_causes: list[CauseFinder] = []


def register_triggers(triggers: Iterable[Trigger]) -> None:
    """Offer triggers in the builder."""
    _triggers.update({trigger.key: trigger for trigger in triggers})


def register_nodes(nodes: Iterable[Node]) -> None:
    """Offer nodes in the builder."""
    _nodes.update({node.key: node for node in nodes})


def register_causes(find: CauseFinder) -> None:
    """Say which steps had which messages sent, where a job of the room's own sends them: so nothing goes round."""
    _causes.append(find)


def cause_finders() -> list[CauseFinder]:
    """Return all that know which steps had messages sent."""
    return list(_causes)


def trigger_of(key: str) -> Trigger | None:
    """Return a trigger by its key; None for one that this version does not know."""
    return _triggers.get(key)


def node_of(key: str) -> Node | None:
    """Return a node by its key; None for one that this version does not know."""
    return _nodes.get(key)


def every_trigger() -> list[Trigger]:
    """Return all triggers in the order of their registration."""
    return list(_triggers.values())


def every_node() -> list[Node]:
    """Return all nodes in the order of their registration."""
    return list(_nodes.values())
