"""Wait: for a while, until a date, until office hours; clocks that are changed, dates that are over or too far away."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from messaging.automations import moves
from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.models import Run
from messaging.automations.nodes.waiting_moments import localize, read_moment
from messaging.automations.registry import node_of
from messaging.automations.scopes import scope_at
from messaging.contacts.models import Contact
from messaging.inbox.models import InboxPolicy
from messaging.inbox.office_hours import next_staffed, policy_of
from tests.conftest import Cast
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, hours_pass

from .conftest import Problems, RunNode

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_local_time_that_is_skipped_comes_later() -> None:
    found = localize(datetime.fromisoformat("2026-03-29T02:30"), BERLIN)
    assert found.moment == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30
    assert "02:30 does not exist: 03:30 is taken" in found.note


def test_a_local_time_that_comes_twice_is_the_first() -> None:
    found = localize(datetime.fromisoformat("2026-10-25T02:30"), BERLIN)
    assert found.moment == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "02:30 comes twice: the first is taken" in found.note


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", datetime(2026, 5, 1, 6, 30, tzinfo=UTC)),
        ("2026-05-01 09:00", datetime(2026, 5, 1, 7, tzinfo=UTC)),
        ("2026-05-01T09:00:00Z", datetime(2026, 5, 1, 9, tzinfo=UTC)),
        ("2026-05-01t09:00:00+09:00", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-02-30", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_dates_and_moments_are_read(text: str, moment: datetime | None) -> None:
    found = read_moment(text, zone=BERLIN, at=time(8, 30))
    assert (found.moment if found else None) == moment


@pytest.mark.django_db
def test_a_while_is_waited_and_then_it_goes_on(automation: MakeAutomation) -> None:
    run = begin(automation(NodeSpec("n1", "wait", {"how": "duration", "amount": 2, "unit": "hours"})))
    assert run is not None
    carry_on()
    run.refresh_from_db()
    step = run.steps.get()
    assert run.status == "waiting" and run.due_at - step.started_at == timedelta(hours=2)
    assert step.detail.startswith("Waits until ") and "Europe/Berlin" in step.detail
    Run.objects.update(due_at=step.started_at)  # woken too early
    carry_on()
    run.refresh_from_db()
    assert run.status == "waiting" and run.due_at - step.started_at == timedelta(hours=2)
    type(step).objects.update(memory={"until": step.started_at.isoformat(), "note": ""})
    hours_pass(run)
    carry_on()
    run.refresh_from_db()
    assert run.status == "done"


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


@pytest.mark.django_db
def test_a_date_is_read_in_the_contacts_zone(run_node: RunNode, contact: Contact) -> None:
    Contact.objects.update(time_zone="Asia/Tokyo")
    contact.refresh_from_db()
    settings = {"how": "field", "field": "trigger.day", "zone": "contact", "time": "10:00:00"}
    step = run_node("wait", settings, contact=contact, data={"day": in_days(3)})
    run = Run.objects.get()
    assert run.due_at == datetime.combine(date.fromisoformat(in_days(3)), time(1), UTC)
    assert "Asia/Tokyo" in step.input["until"] and step.status == "waiting"


@pytest.mark.django_db
@pytest.mark.parametrize(("past", "status"), [("go_on", "done"), ("end", "done")])
def test_what_is_over_goes_on_or_ends(automation: MakeAutomation, past: str, status: str) -> None:
    from tests.messaging.automations.conftest import spec

    settings = {"how": "field", "field": "trigger.day", "past": past}
    run = begin(automation(NodeSpec("n1", "wait", settings), spec("n2")), data={"day": in_days(-3)})
    assert run is not None
    carry_on()
    run.refresh_from_db()
    assert run.status == status and run.steps.count() == (2 if past == "go_on" else 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "code"),
    [(in_days(3650), "too_far"), ("9999-12-31", "too_far"), ("soon", "no_date"), ("", "no_date"), (None, "no_date")],
)
def test_a_date_that_is_none_or_too_far_away_fails_in_words(run_node: RunNode, day: Any, code: str) -> None:
    step = run_node("wait", {"how": "field", "field": "trigger.day"}, data={"day": day})
    assert (step.status, step.reason) == ("failed", code) and step.detail.endswith(".")


@pytest.mark.django_db
def test_office_hours_are_waited_for(run_node: RunNode, cast: Cast) -> None:
    organization = cast.organization
    policy = InboxPolicy(organization=organization, hours=[[0, "09:00", "17:00"], [6, "02:30", "04:00"]])
    sunday = datetime(2026, 3, 29, 10, tzinfo=UTC)
    assert next_staffed(policy, organization, at=sunday) == datetime(2026, 3, 30, 7, tzinfo=UTC)
    policy.holidays = ["2026-03-30"]
    assert next_staffed(policy, organization, at=sunday) == datetime(2026, 4, 5, 0, 30, tzinfo=UTC)
    open_now = datetime(2026, 4, 6, 8, tzinfo=UTC)
    assert next_staffed(policy, organization, at=open_now) == open_now
    assert next_staffed(InboxPolicy(organization=organization), organization, at=sunday) is None
    assert policy_of(organization).hours
    InboxPolicy.objects.create(organization=organization, hours=[[day, "00:00", "24:00"] for day in range(7)])
    assert run_node("wait", {"how": "hours"}).status == "done"


@pytest.mark.django_db
def test_a_run_waits_until_the_office_opens_and_fails_where_it_never_does(
    automation: MakeAutomation, cast: Cast
) -> None:
    opens = datetime.combine(datetime.now(BERLIN).date() + timedelta(days=2), time(9), BERLIN)
    hours = [[opens.weekday(), "09:00", "17:00"]]
    policy = InboxPolicy.objects.create(organization=cast.organization, hours=hours)
    made = automation(NodeSpec("n1", "wait", {"how": "hours"}))
    run = begin(made)
    assert run is not None
    carry_on()
    run.refresh_from_db()
    assert (run.status, run.due_at) == ("waiting", opens)
    assert f"{opens:%H:%M} (Europe/Berlin)" in run.steps.get().detail
    policy.hours = []
    policy.save()
    never = begin(made, "2")
    assert never is not None
    carry_on()
    never.refresh_from_db()
    assert (never.status, never.reason) == ("failed", "no_hours") and "Set them under Settings" in never.detail


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("whose", "zone"), [("contact", "Asia/Tokyo"), ("organization", "Europe/Berlin"), ("", "Asia/Tokyo")]
)
def test_a_date_is_read_in_the_zone_that_was_chosen_and_a_number_tells_its_own(
    run_node: RunNode, whose: str, zone: str
) -> None:
    settings = {"how": "field", "field": "trigger.day", "time": "10:00", **({"zone": whose} if whose else {})}
    step = run_node("wait", settings, phone="+81312345678", data={"day": in_days(3)})
    assert step.run.due_at == datetime.combine(date.fromisoformat(in_days(3)), time(10), ZoneInfo(zone))


@pytest.mark.django_db
def test_an_hour_that_never_happens_is_said_on_the_run(try_node: RunNode, contact: Contact) -> None:
    Contact.objects.update(time_zone="Europe/Berlin")
    # The last Sunday of next March, when clocks are put forward.
    year = datetime.now(UTC).year + (datetime.now(UTC).month >= 3)
    sunday = max(day for day in (date(year, 3, number) for number in range(25, 32)) if day.weekday() == 6)
    settings = {"how": "field", "field": "trigger.at", "zone": "organization"}
    step = try_node("wait", settings, data={"at": f"{sunday.isoformat()} 02:30"}, contact_id=contact.pk)
    assert "02:30 does not exist: 03:30 is taken" in step.input["until"]


@pytest.mark.django_db
def test_office_hours_that_never_come_are_said(problems: Problems, run_node: RunNode, cast: Cast) -> None:
    policy = InboxPolicy.objects.create(organization=cast.organization, hours=[[0, "00:00", "24:00"]])
    assert problems("wait", {"how": "hours"}) == []
    policy.hours = []
    policy.save()
    assert "No office hours are set" in problems("wait", {"how": "hours"})[0]


@pytest.mark.django_db
def test_what_the_step_lacks_is_said(problems: Problems) -> None:
    expected: list[tuple[dict[str, Any], str]] = [
        ({}, "Wait: "),
        ({"how": "duration", "amount": 366, "unit": "days"}, "at most 365 days"),
        ({"how": "duration", "amount": 5_256_000, "unit": "minutes"}, "at most 365 days"),
        ({"how": "duration", "amount": 0}, "from 1 on"),
        ({"how": "duration"}, "Write how long."),
        ({"how": "date", "date": "in ten years"}, "Write a date"),
        ({"how": "date", "date": in_days(3650)}, "at most 365 days"),
        ({"how": "field"}, "Choose the field"),
        ({"how": "field", "field": "trigger.gone"}, "is not known here any more"),
    ]
    for settings, sentence in expected:
        assert any(sentence in one for one in problems("wait", settings)), settings
    assert problems("wait", {"how": "duration", "amount": 365, "unit": "days"}) == []


@pytest.mark.django_db
def test_an_hour_that_comes_twice_is_said_before_it_runs(problems: Problems) -> None:
    import time_machine

    with time_machine.travel("2026-10-01T00:00:00Z", tick=False):
        found = problems("wait", {"how": "date", "date": "2026-10-25 02:30", "zone": "organization"})
    assert "comes twice" in found[0]


@pytest.mark.django_db
def test_the_form_keeps_what_belongs_to_the_choice(cast: Cast) -> None:
    node = node_of("wait")
    assert node is not None
    scope = scope_at(cast.organization, Flow(trigger="test", nodes=(NodeSpec("n1", "wait"),), count=1), "n1")
    form = node.form({"how": "duration", "amount": "3", "unit": "days", "time": "09:00", "past": "end"}, scope=scope)
    assert form.is_valid(), form.errors
    assert form.to_settings() == {"how": "duration", "amount": 3, "unit": "days"}
    assert node.describe(scope, form.to_settings()) == "Wait 3 days"


@pytest.mark.django_db
def test_in_a_test_nothing_waits_and_a_stopped_run_ends(try_node: RunNode, run_node: RunNode, cast: Cast) -> None:
    step = try_node("wait", {"how": "duration", "amount": 3, "unit": "days"})
    assert step.status == "done" and step.input["in this test"] == "nothing waits"
    waiting = run_node("wait", {"how": "duration", "amount": 3, "unit": "days"}, key="2")
    assert waiting.status == "waiting" and moves.stop(waiting.run, actor=cast.agent)
