"""Building an automation: each change is a small verb over the draft, and can be undone.

`shown` is the number of the draft that the page showed: where somebody changed it since, nothing is saved, and
ChangedMeanwhile says so.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from .flow import Flow, FlowProblem, NodeSpec, Place, read
from .models import Automation, AutomationDraft, AutomationVersion, Run
from .publishing import AutomationProblem, ChangedMeanwhile, Unreadable, draft_of, save_draft
from .registry import node_of, trigger_of
from .scopes import scope_at

MOST_DRAFTS = 30
GONE = "This step is not there any more: somebody removed it meanwhile."


def add_step(automation: Automation, *, kind: str, at: Place, shown: int) -> str:
    """Put a new step at a place, and return its id."""
    node = node_of(kind)
    if node is None:
        raise AutomationProblem("There is no such step. Choose one of the list.")
    made: list[str] = []

    def add(flow: Flow) -> Flow:
        after, node_id = flow.insert(kind, {}, at=at)
        made.append(node_id)
        # Its panel opens with what it begins with. Where that is enough, it is kept: what is shown is what holds.
        form = node.form.begun({}, scope=scope_at(automation.organization, after, node_id, automation=automation))
        return after.configure(node_id, form.to_settings()) if form.is_valid() else after

    _change(automation, add, shown=shown, what=f"added {node.title}")
    return made[0]


def configure_step(automation: Automation, node_id: str, *, settings: Mapping[str, Any], shown: int) -> bool:
    """Give a step other settings; False where nothing differs. What it lacks is said beside it, not refused."""
    return _change(
        automation,
        lambda flow: flow.configure(node_id, settings),
        shown=shown,
        what=f"changed {_title(automation, node_id)}",
    )


def choose_trigger(automation: Automation, *, kind: str, shown: int) -> bool:
    """Let something else set it off; the settings of the former trigger are gone with it."""
    trigger = trigger_of(kind)
    if trigger is None:
        raise AutomationProblem("There is no such trigger. Choose one of the list.")

    def choose(flow: Flow) -> Flow:
        return flow if flow.trigger == kind else flow.with_trigger(kind, {})

    return _change(automation, choose, shown=shown, what=f"chose {trigger.title}")


def configure_trigger(automation: Automation, *, settings: Mapping[str, Any], shown: int) -> bool:
    """Give the trigger other settings."""
    return _change(
        automation, lambda flow: flow.with_trigger(flow.trigger, settings), shown=shown, what="changed the trigger"
    )


def move_step(automation: Automation, node_id: str, *, to: Place, shown: int) -> bool:
    """Put a step elsewhere, with what is in its branches."""
    return _change(
        automation,
        lambda flow: _moved(flow, node_id, to=to),
        shown=shown,
        what=f"moved {_title(automation, node_id)}",
    )


def nudge_step(automation: Automation, node_id: str, *, by: int, shown: int) -> bool:
    """Move a step up or down by one place, into branches and out of them; False where it is at the end."""

    def nudge(flow: Flow) -> Flow:
        return next_to(flow, node_id, by=by) or flow

    return _change(automation, nudge, shown=shown, what=f"moved {_title(automation, node_id)}")


def copy_step(automation: Automation, node_id: str, *, shown: int) -> str:
    """Put a copy of a step below it, and return the copy's id."""
    made: list[str] = []

    def copy(flow: Flow) -> Flow:
        after, copied = flow.duplicate(node_id)
        made.append(copied)
        return after

    _change(automation, copy, shown=shown, what=f"copied {_title(automation, node_id)}")
    return made[0]


def remove_step(automation: Automation, node_id: str, *, shown: int) -> bool:
    """Take a step out, with what is in its branches; undo brings it back."""
    title = _title(automation, node_id)
    return _change(automation, lambda flow: flow.remove(node_id), shown=shown, what=f"removed {title}")


def take_back(automation: Automation, version: AutomationVersion, *, shown: int) -> bool:
    """Make a version that was published the draft again; ids given since are not given twice."""

    def take(flow: Flow) -> Flow:
        former = read(version.flow)
        return replace(former, count=max(former.count, flow.count))

    return _change(automation, take, shown=shown, what=f"took back version {version.number}", replaces_all=True)


def step_back(automation: Automation, *, shown: int) -> bool:
    """Undo the last change; False where there is none to be undone."""
    with transaction.atomic():
        newest, before = (*automation.drafts.filter(is_undone=False).order_by("-id")[:2], None, None)[:2]
        if newest is None or before is None:
            return False
        _save(automation, read(before.flow), shown=shown)
        automation.drafts.filter(pk=newest.pk).update(is_undone=True)
    return True


def step_forward(automation: Automation, *, shown: int) -> bool:
    """Do again what was undone last."""
    with transaction.atomic():
        following = automation.drafts.filter(is_undone=True).order_by("id").first()
        if following is None:
            return False
        _save(automation, read(following.flow), shown=shown)
        automation.drafts.filter(pk=following.pk).update(is_undone=False)
    return True


def can_step(automation: Automation) -> tuple[str, str]:
    """Return what would be undone, and what would be done again, in words; "" where there is nothing."""
    rows = list(automation.drafts.order_by("id").values_list("what", "is_undone"))
    done = [what for what, is_undone in rows if not is_undone]
    undone = [what for what, is_undone in rows if is_undone]
    return (done[-1] if len(done) > 1 else ""), (undone[0] if undone else "")


def under_way_of(automation: Automation) -> int:
    """Count the runs that are under way: they finish on the version they began with."""
    open_ones = Run.objects.filter(automation=automation, status__in=[Run.Status.WAITING, Run.Status.RUNNING])
    return open_ones.filter(is_test=False).count()


def branches_of(spec: NodeSpec) -> dict[str, str]:
    """Return a step's branches with their words, also those that it has no more and in which steps still stand."""
    node = node_of(spec.kind)
    outlets = dict(node.outlets(spec.settings)) if node is not None else {}
    left = {key: f"{key} (no longer a branch)" for key, nodes in spec.branches.items() if nodes and key not in outlets}
    return {**outlets, **left}


def places_in(flow: Flow, *, without: str = "") -> list[Place]:
    """Return every place where a step could stand, from top to bottom; none inside the step `without`."""
    return list(_places(flow.nodes, without=without))


def next_to(flow: Flow, node_id: str, *, by: int) -> Flow | None:
    """Return the flow with a step one place further up (-1) or down (1); None where there is no such place."""
    here = flow.place_of(node_id)
    places = places_in(flow, without=node_id)
    below = places.index(replace(here, index=here.index + 1))
    ahead = places[below + 1 :] if by > 0 else places[: places.index(here)][::-1]
    for place in ahead:
        try:
            return flow.move(node_id, to=place)
        except FlowProblem:
            continue  # too deep in branches for what it carries
    return None


def _places(nodes: tuple[NodeSpec, ...], *, without: str, parent: str = "", branch: str = "") -> Iterator[Place]:
    for index, spec in enumerate(nodes):
        yield Place(parent, branch, index)
        if spec.id != without:
            for key in branches_of(spec):
                yield from _places(spec.branches.get(key, ()), without=without, parent=spec.id, branch=key)
    yield Place(parent, branch, len(nodes))


def _moved(flow: Flow, node_id: str, *, to: Place) -> Flow:
    parent = flow.find(to.parent) if to.parent else None
    if to.parent and (parent is None or to.branch not in branches_of(parent)):
        raise FlowProblem("There is no such branch any more. Load the page again.")
    return flow.move(node_id, to=to)


def _title(automation: Automation, node_id: str) -> str:
    spec = draft_of(automation).find(node_id)
    if spec is None:
        raise AutomationProblem(GONE)
    node = node_of(spec.kind)
    return node.title if node is not None else spec.kind


def _change(
    automation: Automation, act: Callable[[Flow], Flow], *, shown: int, what: str, replaces_all: bool = False
) -> bool:
    """Save the draft as changed, and keep it for undo; False where nothing differs.

    Raises Unreadable, unless nothing of the draft stays.
    """
    try:
        before = draft_of(automation)
    except Unreadable:
        if not replaces_all:
            raise
        before = Flow()
    try:
        after = act(before)
    except FlowProblem as problem:
        raise AutomationProblem(str(problem)) from problem
    if after == before:
        return False
    with transaction.atomic():
        _save(automation, after, shown=shown)
        drafts = automation.drafts
        drafts.filter(is_undone=True).delete()
        kept = [AutomationDraft(automation=automation, flow=after.as_json(), what=what[:120])]
        if not drafts.exists():
            kept.insert(0, AutomationDraft(automation=automation, flow=before.as_json()))
        drafts.bulk_create(kept)
        newest = drafts.order_by("-id").values_list("pk", flat=True)[:MOST_DRAFTS]
        drafts.exclude(pk__in=list(newest)).delete()
    return True


def _save(automation: Automation, flow: Flow, *, shown: int) -> None:
    """Save it over the draft that was read, and only where that is the one that the page showed."""
    if automation.status == Automation.Status.ARCHIVED:
        raise AutomationProblem("This automation is archived. Duplicate it to go on building.")
    if automation.draft_number != shown:
        raise ChangedMeanwhile("Somebody changed this automation meanwhile. Nothing was saved; this is how it stands.")
    save_draft(automation, flow, based_on=shown)
