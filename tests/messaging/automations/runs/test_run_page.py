"""The page of a run: each step with what it was given and made, what it waits for, and what can be done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.connections.models import Connection
from messaging.automations.display import facts_of, moment_words
from messaging.automations.models import Automation, Run, RunMessage, RunStep
from messaging.automations.publishing import pause, publish
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, spec

from .conftest import OURS, make_run

pytestmark = pytest.mark.django_db


def page(cast: Cast, run: Run, who: str = "viewer", **headers: str) -> str:
    answer = cast.client(who).get(cast.url(f"automations/runs/{run.pk}/"), headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def started(automation: Automation, **values: Any) -> Run:
    run = begin(automation, **values)
    assert run is not None
    carry_on()
    run.refresh_from_db()
    return run


def test_steps_stand_with_what_they_were_given_and_made(cast: Cast, automation: MakeAutomation) -> None:
    flow = (spec("n1", has_branches=True, branch="yes", branches={"yes": (spec("n2"),), "no": ()}), spec("n3", "fail"))
    contact = ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=OURS)
    data = {
        "order": {"id": 4711, "phone": "+4930123456"},
        "is_paid": True,
        "password": "hunter2",
        "at": "2026-03-01T09:00:00Z",
    }
    run = started(automation(*flow), contact=contact, data=data)
    text = page(cast, run)
    assert 'Went on by <strong class="hg-strong" dir="auto">Yes</strong>' in text
    assert "order › id" in text and "4711" in text and "+49 30 123456" in text and "1 Mar" in text
    assert "hunter2" not in text and "•••••" in text
    assert text.count("It did not work. Try something else.") == 2 and "No luck" in text
    assert "Anna Schmidt" in text and "visits" in text
    assert "/contacts/" in text and 'hx-get="' not in text[text.index('id="run"') :][:300]


def test_run_that_is_under_way_asks_for_news(cast: Cast, automation: MakeAutomation) -> None:
    run = started(automation(spec("n1", "wait"), spec("n2")))
    text = page(cast, run)
    assert f'hx-get="{cast.url(f"automations/runs/{run.pk}/")}"' in text and "Waits until" in text
    part = page(cast, run, **{"HX-Request": "true"})
    assert part.startswith('<div id="run"') and "<html" not in part


def test_what_it_waits_for_is_said(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "later"), spec("n2"))
    run = started(made)
    assert "Nobody was there. It is tried again" in page(cast, run)
    RunStep.objects.update(reason="", detail="for the code to be entered")
    assert "For the code to be entered." in page(cast, run)
    pause(made, actor=cast.owner)
    assert "The automation is paused. The run goes on when it is resumed." in page(cast, run)


def test_run_that_is_spaced_says_so(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1"), per_minute=1)
    begin(made, "1")
    second = begin(made, "2")
    assert second is not None
    text = page(cast, second)
    assert "no more than 1 runs begin in a minute" in text and "Next: Act" in text


def test_version_that_it_began_with_is_named(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "wait"))
    run = started(made)
    publish(made, actor=cast.owner)
    assert "new runs use version 2" in page(cast, run)


def test_messages_stand_with_their_status_and_a_way_to_them(cast: Cast, welcome: Automation) -> None:
    run = make_run(welcome, "1")
    step = RunStep.objects.create(
        run=run, ordinal=1, node="n1", kind="act", status="done", started_at=run.created_at, ended_at=run.created_at
    )
    message = MessageFactory(organization=cast.organization, phone=OURS, status="delivered")
    RunMessage.objects.create(run=run, step=step, key=OURS, message=message)
    RunMessage.objects.create(run=run, step=step, key="?x", reason="too_short", detail="The number is too short.")
    for path in (f"runs/{run.pk}/", f"runs/{run.pk}/messages/"):
        text = cast.client("viewer").get(cast.url(f"automations/{path}")).content.decode()
        assert f"/messages/{message.pk}/" in text and "Delivered" in text and "+49 1511 2345678" in text
        assert "not sent" in text and "The number is too short." in text


def test_runs_that_caused_each_other_lead_to_each_other(
    cast: Cast, welcome: Automation, automation: MakeAutomation
) -> None:
    other = automation(spec("n1"), name="Second")
    first = started(welcome)
    second = begin(other, "2", cause=first.pk)
    assert second is not None and second.cause == first.pk
    assert f"/automations/runs/{second.pk}/" in page(cast, first)
    assert "a run of Welcome" in page(cast, second)
    Run.objects.filter(pk=first.pk).delete()
    assert "a run that was deleted" in page(cast, second)


def test_failed_step_is_tried_again_by_who_may_send(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "fail"))
    run = started(made)
    address = cast.url(f"automations/runs/{run.pk}/retry/")
    assert cast.client("viewer").post(address).status_code == 403
    assert cast.client("stranger").post(address).status_code == 404
    assert "Try the failed step again" not in page(cast, run) and "Try the failed step again" in page(
        cast, run, "agent"
    )
    assert "goes on from the step that failed" in cast.client("agent").post(address, follow=True).content.decode()
    assert "has not failed" in cast.client("agent").post(address, follow=True).content.decode()
    carry_on()
    run.refresh_from_db()
    assert run.status == "failed"
    Automation.objects.update(status="archived")
    assert "Try the failed step again" not in page(cast, run, "agent")
    assert "stay as they are" in cast.client("agent").post(address, follow=True).content.decode()
    run.refresh_from_db()
    assert run.status == "failed"


def test_waiting_run_is_stopped_once(cast: Cast, automation: MakeAutomation) -> None:
    run = started(automation(spec("n1", "wait")))
    address = cast.url(f"automations/runs/{run.pk}/stop/")
    assert cast.client("viewer").post(address).status_code == 403
    assert "Stopped. What it has done stays done." in cast.client("agent").post(address, follow=True).content.decode()
    assert "It had ended" in cast.client("agent").post(address, follow=True).content.decode()
    run.refresh_from_db()
    assert (run.status, run.reason) == ("stopped", "stopped")
    assert "Stopped by a member" in page(cast, run)


def test_step_that_this_version_does_not_know_is_shown_all_the_same(cast: Cast, welcome: Automation) -> None:
    run = make_run(welcome, "1", status="failed", reason="unknown_step")
    welcome.live.__class__.objects.update(flow={"trigger": {"kind": "gone"}, "nodes": [{"id": "n1", "kind": "gone"}]})
    RunStep.objects.create(run=run, ordinal=1, node="n1", kind="gone", started_at=run.created_at)
    text = page(cast, run)
    assert "A step that this version does not know" in text and "A trigger that this version does not know" in text
    welcome.live.__class__.objects.update(flow=["nonsense"])
    assert "A step that this version does not know" in page(cast, run)


def test_page_asks_as_much_for_many_steps_as_for_few(cast: Cast, welcome: Automation, connection: Connection) -> None:
    run = make_run(welcome, "1")

    def add(first: int, last: int) -> None:
        for number in range(first, last):
            step = RunStep.objects.create(run=run, ordinal=number, node="n1", kind="act", started_at=run.created_at)
            message = MessageFactory(organization=cast.organization, connection=connection, phone=OURS)
            RunMessage.objects.create(run=run, step=step, key=OURS, message=message)

    add(1, 3)
    client, address = cast.client("viewer"), cast.url(f"automations/runs/{run.pk}/")
    client.get(address)
    with CaptureQueriesContext(database) as few:
        client.get(address)
    add(3, 20)
    with CaptureQueriesContext(database) as many:
        client.get(address)
    assert len(many) <= len(few)


@pytest.mark.parametrize(
    "key", ["password", "api_key", "apiKey", "client_secret", "access_token", "otp", "Authorization", "card_number"]
)
def test_what_opens_doors_is_dots(key: str) -> None:
    [fact] = facts_of({"order": {key: "5ec2e7"}})
    assert (fact.value, fact.kind) == ("•••••", "secret")


@pytest.mark.parametrize("key", ["passenger", "pinboard", "code", "tokyo", "authored"])
def test_what_only_sounds_like_it_is_shown(key: str) -> None:
    [fact] = facts_of({key: "shown"})
    assert fact.value == "shown"


def test_values_of_a_huge_payload_end_somewhere() -> None:
    assert len(facts_of({f"k{number}": number for number in range(500)})) == 60
    assert len(facts_of({"text": "x" * 9000})[0].value) < 600
    assert [fact.value for fact in facts_of({"a": None, "b": "", "c": 0, "d": [1, 2], "e": False})] == [
        "0",
        "1, 2",
        "no",
    ]


def test_moments_to_come_are_said_as_people_say_them(cast: Cast) -> None:
    now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    cast.organization.time_zone = "Europe/Berlin"
    words = [moment_words(now + timedelta(hours=hours), cast.organization, now=now) for hours in (1, 24, 72, 24 * 365)]
    assert words == ["today 11:00", "tomorrow 10:00", "Wed 4 March, 10:00", "Mon 1 March 2027, 10:00"]
