"""What sets an automation off: heard once, within its limits, never in a circle, never for a stranger."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from integrations.clock import database_now
from messaging.automations import hearing
from messaging.automations.base import Start, Trigger
from messaging.automations.models import Automation, Run, RunMessage
from messaging.automations.publishing import archive, begin_test, create, pause, publish, resume
from messaging.automations.starting import LONGEST_CHAIN, start_runs
from messaging.happenings.models import Happening, Listener
from messaging.happenings.telling import Told, caused_by, tell, tell_many
from messaging.sending.transitions import Move, advance
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

from .conftest import MakeAutomation, begin, carry_on, spec

pytestmark = pytest.mark.django_db


def test_nothing_is_kept_of_what_nobody_listens_to(cast: Cast, automation: MakeAutomation) -> None:
    assert not tell(cast.organization.pk, "test.thing")
    automation(spec("n1"))
    assert tell(cast.organization.pk, "test.thing", data={"a": 1})
    assert not tell(cast.organization.pk, "test.other")
    assert not tell(cast.other.pk, "test.thing")
    assert Happening.objects.get().data == {"a": 1}


def test_what_happened_begins_one_run_and_is_heard_once(cast: Cast, automation: MakeAutomation) -> None:
    automation(spec("n1"))
    contact = ContactFactory(organization=cast.organization)
    tell_many(cast.organization.pk, "test.thing", [Told(contact_id=contact.pk, data={"n": n}) for n in range(3)])
    carry_on()
    hearing.hear_all()
    runs = list(Run.objects.order_by("pk"))
    assert [run.data["trigger"] for run in runs] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert {(run.status, run.phone, run.contact_id) for run in runs} == {("done", contact.phone, contact.pk)}


def test_a_contact_of_another_organization_is_nobody(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"))
    theirs = ContactFactory(organization=cast.other)
    run = begin(made, contact=theirs)
    assert run is not None and run.contact_id is None and run.phone == ""


def test_only_the_live_automation_of_that_organization_hears(cast: Cast, automation: MakeAutomation) -> None:
    one, two = automation(spec("n1")), automation(spec("n1"), name="Second")
    pause(two, actor=cast.admin)
    assert tell(cast.organization.pk, "test.thing")
    carry_on()
    assert list(Run.objects.values_list("automation", flat=True)) == [one.pk]
    archive(one, actor=cast.admin)
    assert not tell(cast.organization.pk, "test.thing") and not Listener.objects.exists()
    resume(two, actor=cast.admin)
    assert tell(cast.organization.pk, "test.thing")


def test_a_number_sets_it_off_as_often_as_the_limit_says(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"), cap_count=2, cap_hours=24)
    contact, other = ContactFactory(organization=cast.organization), ContactFactory(organization=cast.organization)
    begun = start_runs(made, [Start(key=str(number), contact_id=contact.pk) for number in range(3)])
    assert [run.status for run in begun] == ["waiting", "waiting", "skipped"]
    assert "2 times within 24 hours" in begun[2].detail and begun[2].reason == "cap"
    again = begin(made, "4", contact=contact)
    assert again is not None and again.status == "skipped"
    free = begin(made, "5", contact=other)
    assert free is not None and free.status == "waiting"
    Run.objects.update(created_at=database_now() - timedelta(hours=25))
    later = begin(made, "6", contact=contact)
    assert later is not None and later.status == "waiting"


def test_runs_begin_no_faster_than_the_rate(automation: MakeAutomation) -> None:
    made = automation(spec("n1"), per_minute=6)
    begun = start_runs(made, [Start(key=str(number)) for number in range(4)])
    gaps = [(later.due_at - earlier.due_at).total_seconds() for earlier, later in pairwise(begun)]
    assert gaps == [10.0, 10.0, 10.0]
    one_more = begin(made, "one more")
    assert one_more is not None and (one_more.due_at - begun[-1].due_at).total_seconds() == 10.0


def test_an_automation_that_sets_itself_off_goes_round_once(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"))
    run = begin(made)
    assert run is not None
    with caused_by(run.pk):
        tell(cast.organization.pk, "test.thing")
    carry_on()
    second = Run.objects.exclude(pk=run.pk).get()
    assert (second.status, second.reason) == ("skipped", "loop") and "does not follow itself" in second.detail


def test_two_that_set_each_other_off_end_as_well(cast: Cast, automation: MakeAutomation) -> None:
    one, two = automation(spec("n1")), automation(spec("n1"), name="Second")
    first = begin(one)
    assert first is not None
    second = start_runs(two, [Start(key="x", cause=first.pk)])[0]
    assert second.status == "waiting" and second.ancestry == [one.pk]
    third = start_runs(one, [Start(key="y", cause=second.pk)])[0]
    assert third.reason == "loop"


def test_a_chain_of_many_ends(automation: MakeAutomation) -> None:
    last = begin(automation(spec("n1"), name="0"))
    for number in range(1, LONGEST_CHAIN + 1):
        assert last is not None
        last = start_runs(automation(spec("n1"), name=str(number)), [Start(key="k", cause=last.pk)])[0]
    assert last is not None and last.reason == "chain"


class _Failed(Trigger):
    key, title, text, kinds = "test", "Test", "Of a test.", ("message.failed",)


def test_a_failed_message_of_its_own_does_not_set_it_off_again(
    cast: Cast, automation: MakeAutomation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.automations import registry

    monkeypatch.setitem(registry._triggers, "test", _Failed())
    made = automation(spec("n1"))
    foreign = MessageFactory(organization=cast.organization, status="accepted")
    advance([Move(message_id=foreign.pk, to="failed", source="callback", error_code=30003)])
    carry_on()
    run = Run.objects.get()
    assert run.status == "done"
    assert run.data["trigger"] == {"message_id": str(foreign.pk), "status": "failed", "error_code": 30003}
    own = MessageFactory(
        organization=cast.organization, connection=foreign.connection, status="accepted", source="automation"
    )
    RunMessage.objects.create(run=run, step=run.steps.get(), key=own.phone, message=own)
    advance([Move(message_id=own.pk, to="undelivered", source="callback")])
    carry_on()
    assert Run.objects.filter(automation=made).exclude(pk=run.pk).get().reason == "loop"


def test_a_run_finishes_on_the_version_it_began_with(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "wait"), spec("n2"))
    run = begin(made)
    assert run is not None
    carry_on()
    draft: dict[str, Any] = {**made.draft, "nodes": [spec("n3").as_json()]}
    Automation.objects.filter(pk=made.pk).update(draft=draft)
    made.refresh_from_db()
    assert publish(made, actor=cast.admin).number == 2
    Run.objects.update(due_at=database_now() - timedelta(hours=1))
    newer = begin(made, "2")
    carry_on()
    run.refresh_from_db()
    assert [step.node for step in run.steps.all()] == ["n1", "n2"]
    assert newer is not None and [step.node for step in newer.steps.all()] == ["n3"]


def test_a_draft_that_lacks_things_is_not_published_and_says_what(cast: Cast) -> None:
    from messaging.automations.publishing import AutomationProblem

    empty = create(cast.organization, name="Empty", actor=cast.admin)
    with pytest.raises(AutomationProblem) as refused:
        publish(empty, actor=cast.admin)
    assert [problem.text for problem in refused.value.problems] == [
        "Choose what sets the automation off.",
        "Add a step: what shall be done?",
    ]
    empty.refresh_from_db()
    assert empty.status == "draft"


def test_a_variable_that_nobody_brings_is_found_before_it_runs(cast: Cast, automation: MakeAutomation) -> None:
    from messaging.automations.checking import problems_of
    from messaging.automations.flow import Flow

    flow = Flow(
        "test",
        nodes=(spec("n1", "say", text="{{ n2.status }}"), spec("n2", text='{{ n1.x | "?" }} {{ contact.name }}')),
    )
    assert [(problem.node, problem.field) for problem in problems_of(cast.organization, flow)] == [("n1", "text")]


def test_a_test_run_is_of_the_draft_and_counts_nowhere(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"), cap_count=1)
    pause(made, actor=cast.admin)
    run = begin_test(made, data={"a": 1}, phone="+4915112345678")
    carry_on()
    run.refresh_from_db()
    assert run.is_test and run.status == "done" and run.version.number == 0
    resume(made, actor=cast.admin)
    real = begin(made, "2", phone="+4915112345678")
    assert real is not None and real.status == "waiting"
