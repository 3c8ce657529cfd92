"""Several workers, members and callers at the same moment, each with a transaction of its own."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client

from messaging.automations import engine, erasing, hearing, hooks, moves, turns
from messaging.automations.flow import Flow
from messaging.automations.models import Automation, Run
from messaging.automations.publishing import archive, create, publish, resume
from messaging.contacts.models import Tag
from messaging.happenings.models import Happening
from messaging.happenings.telling import tell
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import MakeAutomation, begin, carry_on, spec

pytestmark = pytest.mark.django_db(transaction=True)


def together(work: Callable[[int], object], *, count: int) -> None:
    """Do something in so many threads at once."""

    def one(number: int) -> None:
        try:
            work(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nobody_who_writes_waits_for_who_hears(
    cast: Cast, automation: MakeAutomation, monkeypatch: pytest.MonkeyPatch
) -> None:
    automation(spec("n1"))
    tell(cast.organization.pk, "test.thing")
    written = threading.Event()

    def meanwhile(_: object) -> None:
        def write() -> None:
            ContactFactory(organization=cast.organization)
            written.set()
            connections.close_all()

        threading.Thread(target=write).start()
        assert written.wait(10)

    monkeypatch.setattr(hearing, "_find_causes", meanwhile)
    assert hearing.hear_all() == 1


def started(automation: Automation, key: str = "1") -> Run:
    with transaction.atomic():
        run = begin(automation, key)
    assert run is not None
    return run


def test_two_who_hear_at_once_hear_each_thing_once(cast: Cast, automation: MakeAutomation) -> None:
    automation(spec("n1"))
    for _ in range(40):
        tell(cast.organization.pk, "test.thing")
    together(lambda _: hearing.hear_all(), count=4)
    assert Run.objects.count() == 40 and not Happening.objects.filter(heard_at=None).exists()


def test_workers_at_once_do_each_step_once(automation: MakeAutomation) -> None:
    made = automation(spec("n1"), spec("n2"))
    for number in range(30):
        started(made, f"{number}.")
    together(lambda _: engine.work(seconds=10), count=4)
    carry_on()
    assert Run.objects.filter(status="done").count() == 30
    assert Tag.objects.count() == 60


def test_a_run_that_is_put_aside_while_its_automation_is_resumed_goes_on(
    cast: Cast, automation: MakeAutomation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = automation(spec("n1"))
    run = started(made)
    Automation.objects.update(status="paused")
    hold = turns.hold
    done = threading.Event()

    def resumed_meanwhile(ids: object) -> None:
        def work() -> None:
            resume(made, actor=cast.admin)
            done.set()
            connections.close_all()

        threading.Thread(target=work).start()
        done.wait(10)
        hold(ids)  # type: ignore[arg-type]

    monkeypatch.setattr(turns, "hold", resumed_meanwhile)
    engine.work(seconds=2)
    monkeypatch.setattr(turns, "hold", hold)
    assert done.is_set()
    carry_on()
    run.refresh_from_db()
    assert run.status == "done"


@pytest.mark.parametrize("kind", ["act", "outside"])
def test_a_run_that_was_under_way_when_its_automation_was_archived_ends(
    cast: Cast, automation: MakeAutomation, kind: str
) -> None:
    made = automation(spec("n1", kind=kind), spec("n2"))
    run = started(made)
    if kind == "outside":
        engine.work(seconds=2)
    lane = Run.Lane.OUTSIDE if kind == "outside" else Run.Lane.QUICK
    token, claimed = engine.claim(lane, most=1)
    archive(made, actor=cast.admin)
    if kind == "outside":
        engine._act(token, claimed[0])
    else:
        engine.carry_on(token, claimed)
    carry_on()
    run.refresh_from_db()
    assert (run.status, run.reason) == ("stopped", "archived") and run.ended_at is not None
    assert not run.steps.exists()


def test_an_archived_automation_leaves_no_step_open(cast: Cast, automation: MakeAutomation) -> None:
    made = automation(spec("n1", "wait"))
    run = started(made)
    carry_on()
    assert run.steps.filter(ended_at=None).exists()
    archive(made, actor=cast.admin)
    step = run.steps.get()
    assert (step.status, step.reason) == ("failed", "archived") and step.ended_at is not None
    assert not moves.stop(run, actor=cast.agent)


def test_the_same_call_many_times_at_once_begins_one_run(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow(trigger="webhook", trigger_settings={"replay_seconds": 60}, nodes=(spec("n1"),), count=1)
    made = create(cast.organization, name="Orders", flow=flow, actor=cast.admin)
    publish(made, actor=cast.admin)
    secret, hook = hooks.make_secret(made, actor=cast.admin), hooks.hook_of(made)
    answers: list[HttpResponse] = []

    def call(number: int) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        if number % 2:
            headers["Idempotency-Key"] = "order-7"
        address = f"/hooks/automations/{hook.key}"
        answers.append(Client().post(address, b'{"a": 1}', content_type="application/json", headers=headers))

    together(call, count=20)
    assert sorted(answer.status_code for answer in answers) == [200] * 18 + [202] * 2
    assert Run.objects.count() == 2  # one by the key, one by the body
    told = {tuple(answer.json()["runs"]) for answer in answers}
    assert told == {(str(run.pk),) for run in Run.objects.all()}


def beside(work: Callable[[], object]) -> object:
    """Do something with a connection of its own, and return what came of it."""
    found: list[object] = []
    together(lambda _: found.append(work()), count=1)
    return found[0] if found else None


def test_a_run_that_is_still_at_work_after_its_lease_keeps_no_other_from_being_let_go(
    automation: MakeAutomation,
) -> None:
    made = automation(spec("n1"))
    slow, lost = started(made, "slow"), started(made, "lost")
    Run.objects.update(status="running", claim_token=uuid.uuid4(), lease_until=Now() - timedelta(seconds=1))
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=slow.pk)
        assert beside(moves.release_lost) == 1
    assert dict(Run.objects.values_list("pk", "status")) == {slow.pk: "running", lost.pk: "waiting"}


def test_a_run_that_is_claimed_while_others_are_archived_keeps_its_step(automation: MakeAutomation, cast: Cast) -> None:
    made = automation(spec("n1", "wait"))
    run = started(made)
    carry_on()
    Run.objects.update(due_at=Now())

    def claim_after_the_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("UPDATE"):
            beside(lambda: engine.claim(Run.Lane.QUICK, most=1))
        return result

    with transaction.atomic(), connection.execute_wrapper(claim_after_the_first):
        moves.stop_waiting([run.pk])
    run.refresh_from_db()
    assert run.status in {"stopped", "running"}
    assert (run.steps.get().ended_at is None) == (run.status == "running")


def test_a_failed_run_whose_person_is_erased_at_this_moment_is_not_tried_again(
    cast: Cast, automation: MakeAutomation
) -> None:
    made = automation(spec("n1", "fail"))
    run = started(made)
    carry_on()
    erased, counts = threading.Event(), list[int]()

    def try_again() -> None:
        def wait_for_the_erasure(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("UPDATE"):
                erased.wait(10)
            return execute(sql, params, many, context)

        with transaction.atomic(), connection.execute_wrapper(wait_for_the_erasure):
            counts.append(moves.try_again(Run.objects.filter(pk=run.pk)))

    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(reason=erasing.ERASED)
        other = threading.Thread(target=lambda: (try_again(), connections.close_all()))
        other.start()
        erased.set()
        time.sleep(0.5)
    other.join()
    run.refresh_from_db()
    assert (counts, run.status, run.reason) == ([0], "failed", "erased")
