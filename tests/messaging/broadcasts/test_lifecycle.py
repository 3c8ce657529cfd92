"""Starting, pausing, resuming, canceling: each change once, whoever else does it at that moment."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import connections

from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.broadcasts import creating, feeder, lifecycle
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.problems import BroadcastProblem
from messaging.sending.models import Message
from tests.conftest import Cast

from .conftest import number, run_check

Make = Callable[..., Broadcast]


def test_starting_says_who_did_it_and_to_how_many(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1), number(2)])
    lifecycle.start(broadcast, actor=cast.admin)
    assert (broadcast.status, broadcast.started_by_label) == ("running", "Admin")
    entry = AuditEntry.objects.get(action="broadcast.started")
    assert entry.changes == {"count": "2 people"}


def test_the_second_of_two_who_start_it_is_told_who_was_first(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1)])
    other = Broadcast.objects.get(pk=broadcast.pk)
    lifecycle.start(broadcast, actor=cast.admin)
    with pytest.raises(BroadcastProblem, match="already started by Admin"):
        lifecycle.start(other, actor=cast.owner)
    assert AuditEntry.objects.filter(action="broadcast.started").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_at_once_exactly_one_starts_it(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1)])
    results: list[str] = []
    together = threading.Barrier(2)

    def start(who: str) -> None:
        mine = Broadcast.objects.select_related("organization", "connection").get(pk=broadcast.pk)
        together.wait()
        try:
            lifecycle.start(mine, actor=getattr(cast, who))
            results.append("started")
        except BroadcastProblem as problem:
            results.append(problem.code)
        connections.close_all()

    threads = [threading.Thread(target=start, args=[who]) for who in ("admin", "owner")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["broadcast_state", "started"]
    feeder.feed_all()
    assert Message.objects.filter(broadcast=broadcast).count() == 1


def test_a_late_start_does_not_undo_the_pause_that_followed_the_first(
    checked: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast = checked([number(1)])
    ask = lifecycle.why_not_startable

    def overtaken(mine: Broadcast) -> BroadcastProblem | None:
        problem = ask(mine)
        monkeypatch.setattr(lifecycle, "why_not_startable", ask)
        first = Broadcast.objects.select_related("organization", "connection").get(pk=broadcast.pk)
        lifecycle.start(first, actor=cast.owner)
        lifecycle.pause(first, actor=cast.owner)
        return problem

    monkeypatch.setattr(lifecycle, "why_not_startable", overtaken)
    with pytest.raises(BroadcastProblem):
        lifecycle.start(broadcast, actor=cast.admin)
    broadcast.refresh_from_db()
    assert broadcast.status == "paused"


def test_nothing_is_queued_while_rows_are_wrong_and_nobody_chose_to_leave_them_out(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1), "nonsense"])
    with pytest.raises(BroadcastProblem) as refused:
        lifecycle.start(broadcast, actor=cast.admin)
    assert refused.value.code == "bad_rows"
    feeder.feed_all()
    assert not Message.objects.exists()
    assert lifecycle.skip_bad_rows(broadcast, actor=cast.admin)
    assert not lifecycle.skip_bad_rows(broadcast, actor=cast.owner)
    lifecycle.start(broadcast, actor=cast.admin)
    feeder.feed_all()
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [("draft", "not_checked"), ("checking", "check_running"), ("paused", "broadcast_state"),
     ("done", "broadcast_state"), ("canceled", "broadcast_state")],
)  # fmt: skip
def test_only_a_checked_broadcast_starts(draft: Make, cast: Cast, status: str, code: str) -> None:
    broadcast = draft([number(1)])
    Broadcast.objects.filter(pk=broadcast.pk).update(status=status)
    with pytest.raises(BroadcastProblem) as refused:
        lifecycle.start(broadcast, actor=cast.admin)
    assert refused.value.code == code


def test_a_broadcast_to_nobody_does_not_start(checked: Make, cast: Cast) -> None:
    broadcast = checked(["+4930123456"])
    with pytest.raises(BroadcastProblem) as refused:
        lifecycle.start(broadcast, actor=cast.admin)
    assert refused.value.code == "nobody"


def test_a_broken_connection_keeps_it_from_starting(checked: Make, cast: Cast, connection: Connection) -> None:
    broadcast = checked([number(1)])
    mark_broken(connection, code=20003)
    with pytest.raises(BroadcastProblem) as refused:
        lifecycle.start(Broadcast.objects.get(pk=broadcast.pk), actor=cast.admin)
    assert refused.value.code == "connection_broken"


def test_without_a_connection_it_can_be_prepared_and_checked_but_not_started(cast: Cast) -> None:
    plan = creating.Plan(name="Depot", body="Closed.", audience="api")
    broadcast = creating.create(cast.organization, plan=plan, actor=cast.admin)
    creating.add_recipients(broadcast, [{"to": number(1)}])
    lifecycle.begin_check(broadcast)
    run_check(broadcast)
    with pytest.raises(BroadcastProblem) as refused:
        lifecycle.start(broadcast, actor=cast.admin)
    assert refused.value.code == "not_connected"


def test_one_that_shall_start_when_clean_starts_when_clean(draft: Make) -> None:
    broadcast = draft([number(1)], starts_when_clean=True)
    lifecycle.begin_check(broadcast)
    assert run_check(broadcast).status == "running"


def test_one_that_shall_start_when_clean_waits_where_a_row_is_wrong(draft: Make) -> None:
    broadcast = draft([number(1), "nonsense"], starts_when_clean=True)
    lifecycle.begin_check(broadcast)
    assert run_check(broadcast).status == "ready"


def test_member_who_checks_again_starts_nothing_by_it(draft: Make, cast: Cast) -> None:
    broadcast = draft([number(1)], starts_when_clean=True)
    lifecycle.begin_check(broadcast, actor=cast.agent)
    assert run_check(broadcast).status == "ready"


def test_pausing_and_resuming_twice_changes_nothing_the_second_time(running: Make, cast: Cast) -> None:
    broadcast = running([number(1)])
    assert lifecycle.pause(broadcast, actor=cast.admin)
    assert not lifecycle.pause(broadcast, actor=cast.owner)
    lifecycle.resume(broadcast, actor=cast.admin)
    with pytest.raises(BroadcastProblem):
        lifecycle.resume(broadcast, actor=cast.owner)
    assert AuditEntry.objects.filter(action="broadcast.paused").count() == 1
    assert AuditEntry.objects.filter(action="broadcast.resumed").count() == 1


def test_a_started_broadcast_is_neither_changed_nor_checked_again_nor_deleted(running: Make, cast: Cast) -> None:
    broadcast = running([number(1)])
    plan = creating.Plan(name="Other", body="Other", audience="contacts")
    with pytest.raises(BroadcastProblem):
        creating.change(broadcast, plan=plan)
    with pytest.raises(BroadcastProblem):
        lifecycle.begin_check(broadcast)
    with pytest.raises(BroadcastProblem):
        creating.add_recipients(broadcast, [{"to": number(2)}])
    assert not lifecycle.delete_draft(broadcast, actor=cast.admin)


def test_changing_a_checked_broadcast_makes_it_a_draft_again(checked: Make) -> None:
    broadcast = checked([number(1)])
    creating.change(broadcast, plan=creating.Plan(name="Depot 2", body="Open again.", audience="api"))
    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.ready_count) == ("draft", 0)
    assert (broadcast.name, broadcast.body) == ("Depot 2", "Open again.")


def test_a_draft_is_deleted_with_its_rows(checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1)])
    assert lifecycle.delete_draft(broadcast, actor=cast.admin)
    assert not Broadcast.objects.exists()
    assert AuditEntry.objects.filter(action="broadcast.deleted").exists()


def test_the_same_form_twice_makes_one_broadcast(cast: Cast, connection: Connection) -> None:
    plan = creating.Plan(name="Depot", body="Closed.", audience="contacts", request_id=uuid.uuid4())
    first = creating.create(cast.organization, plan=plan, actor=cast.admin)
    assert creating.create(cast.organization, plan=plan, actor=cast.admin) == first
    assert Broadcast.objects.count() == 1
