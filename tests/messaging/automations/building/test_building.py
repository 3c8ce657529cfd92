"""The verbs of building: each changes the draft, can be undone, and overwrites nobody unseen."""

from collections.abc import Callable

import pytest

from messaging.automations import building
from messaging.automations.checking import problems_of
from messaging.automations.flow import Flow, NodeSpec, Place, read
from messaging.automations.models import Automation
from messaging.automations.publishing import AutomationProblem, ChangedMeanwhile, archive, create, publish, save_draft
from tests.conftest import Cast
from tests.messaging.automations.conftest import MakeAutomation, spec

pytestmark = pytest.mark.django_db

Draft = Callable[..., Automation]


@pytest.fixture
def draft(cast: Cast) -> Draft:
    """Begin an automation with these nodes."""

    def make(*nodes: NodeSpec, count: int = 0) -> Automation:
        flow = Flow(trigger="test", nodes=nodes, count=count or len(nodes))
        return create(cast.organization, name="Welcome", flow=flow, actor=cast.owner)

    return make


def ids(automation: Automation) -> list[str]:
    automation.refresh_from_db()
    return [node.id for node in read(automation.draft).walk()]


def forked(*, yes: tuple[NodeSpec, ...] = (), no: tuple[NodeSpec, ...] = ()) -> NodeSpec:
    return spec("n1", has_branches=True, branches={"yes": yes, "no": no})


def test_steps_are_added_configured_copied_moved_and_removed(draft: Draft) -> None:
    automation = draft()
    first = building.add_step(automation, kind="act", at=Place(), shown=0)
    second = building.add_step(automation, kind="act", at=Place(index=1), shown=1)
    assert (first, second) == ("n1", "n2")
    assert building.configure_step(automation, first, settings={"do": "say", "text": "Hello"}, shown=2)
    assert building.copy_step(automation, first, shown=3) == "n3"
    assert ids(automation) == ["n1", "n3", "n2"]
    assert read(automation.draft).find("n3").settings == {"do": "say", "text": "Hello"}  # type: ignore[union-attr]
    assert building.move_step(automation, "n2", to=Place(), shown=4)
    assert ids(automation) == ["n2", "n1", "n3"]
    assert building.remove_step(automation, "n1", shown=5)
    assert ids(automation) == ["n2", "n3"]
    assert automation.draft_number == 6


def test_a_new_step_keeps_what_its_panel_begins_with(cast: Cast, draft: Draft) -> None:
    automation = draft()
    made = building.add_step(automation, kind="wait", at=Place(), shown=0)
    automation.refresh_from_db()
    flow = read(automation.draft)
    settings = flow.find(made).settings  # type: ignore[union-attr]
    assert (settings["how"], settings["amount"], settings["unit"]) == ("duration", 1, "hours")
    assert problems_of(cast.organization, flow, automation=automation) == []


def test_a_new_step_is_said_to_lack_only_what_its_panel_lacks(cast: Cast, draft: Draft) -> None:
    automation = draft()
    building.add_step(automation, kind="send_sms", at=Place(), shown=0)
    automation.refresh_from_db()
    found = problems_of(cast.organization, read(automation.draft), automation=automation)
    assert [problem.text for problem in found] == ["Text: Choose a template, or write the text."]


def test_a_step_that_was_never_configured_is_not_taken_for_complete(cast: Cast, draft: Draft) -> None:
    automation = draft(NodeSpec("n1", "wait", {}))
    assert problems_of(cast.organization, read(automation.draft), automation=automation) != []


def test_what_changes_nothing_is_no_change(draft: Draft) -> None:
    automation = draft(spec("n1"))
    assert not building.configure_step(automation, "n1", settings={"do": ""}, shown=0)
    assert not building.move_step(automation, "n1", to=Place(), shown=0)
    assert not building.choose_trigger(automation, kind="test", shown=0)
    assert (automation.draft_number, automation.drafts.count()) == (0, 0)


def test_another_trigger_forgets_the_settings_of_the_former(draft: Draft) -> None:
    automation = draft()
    building.configure_trigger(automation, settings={"tag": "VIP"}, shown=0)
    assert not building.choose_trigger(automation, kind="test", shown=1)
    assert read(automation.draft).trigger_settings == {"tag": "VIP"}
    Automation.objects.filter(pk=automation.pk).update(draft=Flow("other", {"a": 1}).as_json())
    automation.refresh_from_db()
    building.choose_trigger(automation, kind="test", shown=1)
    assert read(automation.draft).trigger_settings == {}


def test_step_goes_through_every_place_by_up_and_down(draft: Draft) -> None:
    automation = draft(forked(yes=(spec("n2"),)), spec("n3"), count=3)
    places = []
    for number in range(20):
        if not building.nudge_step(automation, "n3", by=-1, shown=number):
            break
        places.append(read(automation.draft).place_of("n3"))
    assert places == [Place("n1", "no", 0), Place("n1", "yes", 1), Place("n1", "yes", 0), Place("", "", 0)]
    shown = automation.draft_number
    while building.nudge_step(automation, "n3", by=1, shown=shown):
        shown += 1
    assert ids(automation) == ["n1", "n2", "n3"]
    assert read(automation.draft).place_of("n3") == Place("", "", 1)


def test_step_is_not_moved_into_its_own_branch_nor_into_one_that_is_gone(draft: Draft) -> None:
    automation = draft(forked(yes=(spec("n2"),)), count=2)
    with pytest.raises(AutomationProblem, match="own branch"):
        building.move_step(automation, "n1", to=Place("n1", "yes", 0), shown=0)
    with pytest.raises(AutomationProblem, match="no such branch"):
        building.move_step(automation, "n2", to=Place("n1", "perhaps", 0), shown=0)
    with pytest.raises(AutomationProblem, match="no such branch"):
        building.move_step(automation, "n2", to=Place("n9", "yes", 0), shown=0)


def test_changes_are_undone_and_done_again(draft: Draft) -> None:
    automation = draft(spec("n1"))
    assert not building.step_back(automation, shown=0)
    building.add_step(automation, kind="act", at=Place(index=1), shown=0)
    building.remove_step(automation, "n1", shown=1)
    assert building.can_step(automation) == ("removed Act", "")
    assert building.step_back(automation, shown=2)
    assert building.step_back(automation, shown=3)
    assert not building.step_back(automation, shown=4)
    assert ids(automation) == ["n1"]
    assert building.can_step(automation) == ("", "added Act")
    assert building.step_forward(automation, shown=4)
    assert ids(automation) == ["n1", "n2"]
    building.copy_step(automation, "n2", shown=5)
    assert not building.step_forward(automation, shown=6), "a new change lets what was undone go"
    assert ids(automation) == ["n1", "n2", "n3"]


def test_the_oldest_drafts_are_forgotten(draft: Draft) -> None:
    automation = draft(spec("n1"))
    for number in range(building.MOST_DRAFTS + 5):
        building.configure_step(automation, "n1", settings={"do": str(number)}, shown=number)
    assert automation.drafts.count() == building.MOST_DRAFTS


def test_two_tabs_do_not_overwrite_each_other(draft: Draft) -> None:
    automation = draft(spec("n1"), spec("n2"))
    other = Automation.objects.get(pk=automation.pk)
    building.remove_step(automation, "n1", shown=0)
    with pytest.raises(ChangedMeanwhile):
        building.remove_step(other, "n2", shown=0)
    with pytest.raises(ChangedMeanwhile):
        building.copy_step(Automation.objects.get(pk=automation.pk), "n2", shown=0)
    with pytest.raises(ChangedMeanwhile):
        building.step_back(Automation.objects.get(pk=automation.pk), shown=0)
    assert ids(automation) == ["n2"]


def test_what_cannot_be_is_said(draft: Draft) -> None:
    automation = draft(spec("n1"))
    for verb in (building.copy_step, building.remove_step):
        with pytest.raises(AutomationProblem, match="not there any more"):
            verb(automation, "n9", shown=0)
    with pytest.raises(AutomationProblem, match="no such step"):
        building.add_step(automation, kind="teleport", at=Place(), shown=0)
    with pytest.raises(AutomationProblem, match="no such trigger"):
        building.choose_trigger(automation, kind="full_moon", shown=0)
    with pytest.raises(AutomationProblem, match="not there any more"):
        building.add_step(automation, kind="act", at=Place("n9", "yes", 0), shown=0)


def test_an_archived_automation_stays_as_it_is(cast: Cast, draft: Draft) -> None:
    automation = draft(spec("n1"))
    archive(automation, actor=cast.owner)
    with pytest.raises(AutomationProblem, match="archived"):
        building.remove_step(automation, "n1", shown=0)


def test_branches_that_are_no_more_are_shown_while_steps_stand_in_them() -> None:
    assert building.branches_of(spec("n1", branches={"yes": (spec("n2"),), "no": ()})) == {
        "yes": "yes (no longer a branch)"
    }


def test_version_becomes_the_draft_again(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"), spec("n2"))
    building.remove_step(made, "n2", shown=0)
    building.add_step(made, kind="act", at=Place(index=1), shown=1)
    assert made.live is not None
    assert building.take_back(made, made.live, shown=2)
    assert ids(made) == ["n1", "n2"]
    assert read(made.draft).count == 3
    assert building.add_step(made, kind="act", at=Place(), shown=3) == "n4"


def test_nobody_publishes_what_somebody_else_writes_at_this_moment(cast: Cast, draft: Draft) -> None:
    automation = draft(spec("n1"))
    seen = automation.draft_number
    save_draft(automation, read(automation.draft).remove("n1"), based_on=seen)
    with pytest.raises(ChangedMeanwhile):
        publish(automation, shown=seen, actor=cast.admin)
    automation.refresh_from_db()
    assert automation.live is None and not automation.versions.exists()
