"""A flow as the builder draws it: cards one below the other, their branches, and on each what it lacks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from integrations.organizations.models import Organization

from .base import Node, Problem, Scope, Trigger
from .building import branches_of, next_to
from .checking import NO_STEPS, problems_in
from .flow import Flow, NodeSpec, Place
from .models import Automation
from .registry import every_node, every_trigger, node_of, trigger_of
from .scopes import scopes_of


@dataclass(frozen=True)
class Card:
    """A step, or the trigger (then `id` is "trigger"): what it is, in a line what it does, and what it lacks."""

    id: str
    title: str
    icon: str
    line: str = ""
    problems: tuple[str, ...] = ()
    place: Place = field(default_factory=Place)
    branches: tuple["Branch", ...] = ()
    can_go_up: bool = False
    can_go_down: bool = False

    @property
    def below(self) -> Place:
        """Where the next step stands, or would."""
        return Place(self.place.parent, self.place.branch, self.place.index + 1)

    @property
    def name(self) -> str:
        """What the card is called where several of a kind stand side by side."""
        return self.line or self.title


@dataclass(frozen=True)
class Branch:
    """One way on from a step."""

    words: str
    start: Place
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Drawing:
    """All of a flow; `problems` are those of no single card."""

    trigger: Card
    cards: tuple[Card, ...]
    problems: tuple[str, ...]
    problem_count: int

    def find(self, card_id: str) -> Card | None:
        """Return a card by its id, wherever it stands."""
        return (
            self.trigger if card_id == "trigger" else next((one for one in _all(self.cards) if one.id == card_id), None)
        )


def draw(organization: Organization, flow: Flow, *, automation: Automation | None = None) -> Drawing:
    """Return what the builder shows of a flow."""
    scopes = scopes_of(organization, flow, automation=automation)
    problems = problems_in(scopes, flow)
    pen = _Pen(flow, scopes, problems)
    ids = {spec.id for spec in flow.walk()}
    of_trigger = [one.text for one in problems if one.node not in ids and _is_of_trigger(one, flow)]
    return Drawing(
        trigger=_trigger_card(scopes[""], flow, of_trigger),
        cards=pen.cards(flow.nodes),
        problems=tuple(one.text for one in problems if one.node not in ids and one.text not in of_trigger),
        problem_count=len(problems),
    )


def menu_of(kinds: Iterable[Node] | Iterable[Trigger]) -> dict[str, list[Node | Trigger]]:
    """Return what can be chosen by its group."""
    groups: dict[str, list[Node | Trigger]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind)
    return groups


def trigger_menu() -> dict[str, list[Node | Trigger]]:
    """Return the triggers by group."""
    return menu_of(every_trigger())


def node_menu() -> dict[str, list[Node | Trigger]]:
    """Return the steps by group."""
    return menu_of(every_node())


class _Pen:
    def __init__(self, flow: Flow, scopes: Mapping[str, Scope], problems: list[Problem]) -> None:
        self._flow, self._scopes = flow, scopes
        self._problems: dict[str, list[str]] = {}
        for one in problems:
            self._problems.setdefault(one.node, []).append(one.text)

    def cards(self, nodes: tuple[NodeSpec, ...], *, parent: str = "", branch: str = "") -> tuple[Card, ...]:
        return tuple(self._card(spec, Place(parent, branch, index)) for index, spec in enumerate(nodes))

    def _card(self, spec: NodeSpec, place: Place) -> Card:
        node = node_of(spec.kind)
        title = node.title if node is not None else "A step that this version does not know"
        line = node.describe(self._scopes[spec.id], spec.settings) if node is not None else spec.kind
        branches = tuple(
            Branch(words, Place(spec.id, key, 0), self.cards(spec.branches.get(key, ()), parent=spec.id, branch=key))
            for key, words in branches_of(spec).items()
        )
        return Card(
            id=spec.id,
            title=title,
            icon=node.icon if node is not None else "help",
            line=line if line != title else "",
            problems=tuple(dict.fromkeys(self._problems.get(spec.id, ()))),
            place=place,
            branches=branches,
            can_go_up=next_to(self._flow, spec.id, by=-1) is not None,
            can_go_down=next_to(self._flow, spec.id, by=1) is not None,
        )


def _trigger_card(scope: Scope, flow: Flow, problems: list[str]) -> Card:
    trigger = trigger_of(flow.trigger)
    if trigger is None:
        title = "A trigger that this version does not know" if flow.trigger else "Choose what sets it off"
        return Card("trigger", title, "bolt", problems=tuple(problems))
    line = trigger.describe(scope, flow.trigger_settings)
    return Card("trigger", trigger.title, trigger.icon, line if line != trigger.title else "", tuple(problems))


def _is_of_trigger(problem: Problem, flow: Flow) -> bool:
    """Tell the trigger's problems from the one that there is no step at all."""
    return bool(flow.nodes) or problem.text != NO_STEPS


def _all(cards: Iterable[Card]) -> Iterable[Card]:
    for card in cards:
        yield card
        for branch in card.branches:
            yield from _all(branch.cards)
