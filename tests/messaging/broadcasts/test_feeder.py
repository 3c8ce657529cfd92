"""The feeder: every ready row becomes a message exactly once, whatever dies and whoever else feeds."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connections, transaction
from django.utils import timezone

from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from messaging.broadcasts import feeder, lifecycle, waiting
from messaging.broadcasts.consequences import what_pauses
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.progress import progress_of
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.models import UnsubscribeLink
from messaging.consent.opt_outs import opt_out
from messaging.sending.claim import claim_batch, give_back
from messaging.sending.models import Message, MessageEvent
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

from .conftest import number

Make = Callable[..., Broadcast]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder, "WINDOW", 4)
    monkeypatch.setattr(feeder, "CHUNK", 2)


def agree(cast: Cast, phone: str) -> None:
    record_consent(cast.organization, Entry(phone=phone, action="granted", source="staff", reason="signed up"))


def rows(broadcast: Broadcast) -> list[int]:
    return list(Message.objects.filter(broadcast=broadcast).order_by("id").values_list("broadcast_row", flat=True))


def settle(broadcast: Broadcast, status: str = "delivered", *, most: int = 1000) -> int:
    """Bring what waits to its end, as the engine and callbacks would."""
    ids = list(Message.objects.filter(broadcast=broadcast, status="queued").values_list("pk", flat=True)[:most])
    return len(advance(Move(message_id=pk, to=Status(status), source="callback") for pk in ids))


def test_each_row_becomes_a_message_as_it_was_checked(running: Make, cast: Cast, connection: Connection) -> None:
    contact = ContactFactory(organization=cast.organization, phone=number(2), name="Anna Schmidt")
    broadcast = running([number(1), number(2)], body='Hello {{ name | "you" }}')
    assert feeder.feed_all() == 2
    first, second = Message.objects.filter(broadcast=broadcast).order_by("broadcast_row")
    assert (first.body, second.body) == ("Hello you", "Hello Anna Schmidt")
    assert second.contact == contact
    assert first.id < second.id
    for message in (first, second):
        assert message.organization == cast.organization
        assert message.connection == connection
        assert message.sender == connection.messaging_service_sid
        assert (message.status, message.lane, message.purpose, message.source) == (
            "queued",
            1,
            "transactional",
            "broadcast",
        )
        assert (message.segments, message.encoding, message.region) == (1, "GSM-7", "DE")
        assert message.time_zones == "Europe/Berlin"
        assert message.valid_until - message.due_at == waiting.VALIDITY
        assert message.created_by_id == cast.admin.pk
        assert [event.status for event in message.events.all()] == ["queued"]


def test_feeding_again_makes_nothing_twice(running: Make) -> None:
    broadcast = running([number(1), number(2)])
    assert feeder.feed_all() == 2
    assert feeder.feed_all() == 0
    assert rows(broadcast) == [1, 2]
    broadcast.refresh_from_db()
    assert (broadcast.fed_count, broadcast.fed_through, broadcast.left_to_feed) == (2, 2, 0)


def test_no_more_than_the_window_waits_in_the_outbox(running: Make, small: None) -> None:
    broadcast = running([number(n) for n in range(1, 11)])
    assert feeder.feed_all() == 4
    assert feeder.feed_all() == 0
    assert settle(broadcast, most=3) == 3
    assert feeder.feed_all() == 3
    assert rows(broadcast) == [1, 2, 3, 4, 5, 6, 7]


def test_what_is_due_later_does_not_fill_the_window(running: Make, small: None) -> None:
    broadcast = running([number(n) for n in range(1, 9)])
    feeder.feed_all()
    Message.objects.filter(broadcast=broadcast).update(due_at=timezone.now() + timedelta(hours=8))
    assert feeder.feed_all() == 4


def test_left_out_and_wrong_rows_become_no_message(running: Make, checked: Make, cast: Cast) -> None:
    broadcast = checked([number(1), "nonsense", number(1), number(2), "+4930123456"])
    lifecycle.skip_bad_rows(broadcast, actor=cast.admin)
    lifecycle.start(broadcast, actor=cast.admin)
    feeder.feed_all()
    assert rows(broadcast) == [1, 4]


def test_who_opted_out_since_the_check_is_stored_as_blocked(running: Make, cast: Cast) -> None:
    broadcast = running([number(1), number(2)])
    opt_out(cast.organization, phone=number(1), source="keyword")
    assert feeder.feed_all() == 2
    blocked = Message.objects.get(broadcast=broadcast, phone=number(1))
    assert (blocked.status, blocked.error_reason) == ("blocked", "opted_out")
    assert blocked.finished_at is not None
    assert list(blocked.events.values_list("status", "note")) == [("blocked", "opted_out")]
    assert Message.objects.get(broadcast=broadcast, phone=number(2)).status == "queued"


def test_who_took_their_consent_back_since_the_check_is_stored_as_blocked(running: Make, cast: Cast) -> None:
    for n in (1, 2):
        agree(cast, number(n))
    broadcast = running([number(1), number(2)], purpose="marketing")
    record_consent(cast.organization, Entry(phone=number(1), action="withdrawn", source="staff", reason="said so"))
    feeder.feed_all()
    ends = Message.objects.filter(broadcast=broadcast).order_by("broadcast_row").values_list("status", "error_reason")
    assert list(ends) == [("blocked", "no_consent"), ("queued", "")]


def test_marketing_from_a_name_has_a_link_out_that_works(running: Make, cast: Cast, connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(messaging_service_sid="", sender="ACME")
    agree(cast, number(1))
    broadcast = running([number(1)], purpose="marketing")
    feeder.feed_all()
    message = Message.objects.get(broadcast=broadcast)
    link = UnsubscribeLink.objects.get(phone=number(1))
    assert message.sender == "ACME"
    assert f"/u/{link.token}" in message.body


@pytest.mark.parametrize("dies_at", ["before", "after"])
def test_a_feeder_killed_around_the_statement_leaves_all_of_a_chunk_or_nothing(
    running: Make, small: None, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    broadcast = running([number(n) for n in range(1, 4)])
    genuine = feeder._insert

    def dies(*args: Any, **options: Any) -> Any:
        if dies_at == "after":
            genuine(*args, **options)
        raise SystemExit("killed")

    monkeypatch.setattr(feeder, "_insert", dies)
    with pytest.raises(SystemExit):
        feeder.feed_all()
    assert rows(broadcast) == []
    monkeypatch.setattr(feeder, "_insert", genuine)
    feeder.feed_all()
    assert rows(broadcast) == [1, 2, 3]
    assert MessageEvent.objects.filter(message__broadcast=broadcast).count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_feeders_at_once_make_each_message_once(running: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder, "CHUNK", 7)
    broadcast = running([number(n) for n in range(1, 201)])
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for _ in range(60):
            feeder.feed_chunk(broadcast.pk)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while feeder.feed_all():
        pass
    assert rows(broadcast) == list(range(1, 201))
    broadcast.refresh_from_db()
    assert broadcast.fed_count == 200


def test_the_database_itself_refuses_a_row_twice(running: Make, cast: Cast, connection: Connection) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    with pytest.raises(IntegrityError), transaction.atomic():
        MessageFactory(organization=cast.organization, connection=connection, broadcast=broadcast, broadcast_row=1)
    MessageFactory(
        organization=cast.organization, connection=connection
    )  # messages without a broadcast know no such rule


def test_a_broadcast_is_done_when_all_is_final_or_at_twilio(running: Make) -> None:
    broadcast = running([number(n) for n in range(1, 4)])
    feeder.feed_all()
    ids = list(Message.objects.filter(broadcast=broadcast).values_list("pk", flat=True))
    for pk, status in zip(ids, (Status.DELIVERED, Status.ACCEPTED, Status.FAILED), strict=True):
        broadcast.refresh_from_db()
        assert broadcast.status == "running"
        advance([Move(message_id=pk, to=status, source="callback")])
        feeder.feed_all()
    broadcast.refresh_from_db()
    assert broadcast.status == "done"
    assert broadcast.finished_at is not None
    assert feeder.feed_all() == 0


def test_one_that_is_unknown_is_waited_for_unless_a_person_must_look(running: Make, connection: Connection) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1)
    message = Message.objects.get(broadcast=broadcast)
    advance([Move(message_id=message.pk, to=Status.UNKNOWN, source="engine", next_check_at=timezone.now())])
    feeder.feed_all()
    broadcast.refresh_from_db()
    assert broadcast.status == "running"
    Message.objects.filter(pk=message.pk).update(needs_person=True)
    feeder.feed_all()
    broadcast.refresh_from_db()
    assert broadcast.status == "done"


def test_pausing_holds_what_waits_and_resuming_lets_it_go(
    running: Make, small: None, cast: Cast, connection: Connection
) -> None:
    broadcast = running([number(n) for n in range(1, 9)])
    feeder.feed_all()
    assert lifecycle.pause(broadcast, actor=cast.admin)
    assert feeder.feed_all() == 0
    assert claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=10).taken == 0
    held = Message.objects.filter(broadcast=broadcast)
    assert {message.status for message in held} == {"queued"}
    assert min(message.valid_until for message in held) > timezone.now() + timedelta(days=365)
    lifecycle.resume(broadcast, actor=cast.admin)
    claimed = claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=10)
    assert [message.phone for message in claimed.messages] == [number(n) for n in range(1, 5)]
    assert claimed.messages[0].seconds_left < timedelta(days=2).total_seconds()
    assert feeder.feed_all() == 4


def test_what_comes_back_to_the_queue_of_a_paused_broadcast_is_held(
    running: Make, cast: Cast, connection: Connection
) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    taken = claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1)
    lifecycle.pause(broadcast, actor=cast.admin)
    advance([Move(message_id=taken.messages[0].id, to=Status.QUEUED, source="engine", due_at=timezone.now())])
    feeder.feed_all()
    assert claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1).taken == 0


def test_a_resumption_that_was_interrupted_is_made_up_for(running: Make, cast: Cast, connection: Connection) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    lifecycle.pause(broadcast, actor=cast.admin)
    Broadcast.objects.filter(pk=broadcast.pk).update(status="running")  # and nothing else of it was done
    feeder.feed_all()
    assert claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1).taken == 1


def test_canceling_ends_what_waits_and_what_was_claimed_is_counted_as_sent(
    running: Make, small: None, cast: Cast, connection: Connection
) -> None:
    broadcast = running([number(n) for n in range(1, 11)])
    feeder.feed_all()
    taken = claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1)
    assert lifecycle.cancel(broadcast, actor=cast.admin)
    assert Message.objects.filter(broadcast=broadcast, status="canceled").count() == 3
    advance([Move(message_id=taken.messages[0].id, to=Status.DELIVERED, source="callback")])
    feeder.feed_all()
    progress = progress_of(broadcast)
    assert (progress.delivered, progress.canceled, progress.waiting, progress.total) == (1, 9, 0, 10)
    assert not lifecycle.cancel(broadcast, actor=cast.owner)


def test_a_straggler_that_twilio_refuses_for_now_is_canceled_with_the_rest(
    running: Make, cast: Cast, connection: Connection
) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    taken = claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1)
    lifecycle.cancel(broadcast, actor=cast.admin)
    advance([Move(message_id=taken.messages[0].id, to=Status.QUEUED, source="engine", due_at=timezone.now())])
    feeder.feed_all()
    assert Message.objects.get(broadcast=broadcast).status == "canceled"


@pytest.mark.parametrize("comes_back", ["not begun", "refused for now"])
@pytest.mark.parametrize("ends_as", ["queued", "canceled"])
def test_no_claim_is_faster_than_the_sweep_when_something_comes_back_to_a_stopped_broadcast(
    running: Make, cast: Cast, connection: Connection, comes_back: str, ends_as: str
) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    lane: dict[str, Any] = {"sender": connection.sends_as, "lane": Message.Lane.BULK, "limit": 5}
    taken = claim_batch(connection.pk, **lane).messages
    stop = lifecycle.pause if ends_as == "queued" else lifecycle.cancel
    stop(broadcast, actor=cast.admin)
    if comes_back == "not begun":
        assert give_back(taken)
    else:
        at = timezone.now() - timedelta(minutes=1)
        advance([Move(message_id=taken[0].id, to=Status.QUEUED, source="engine", due_at=at)])
    assert claim_batch(connection.pk, **lane).messages == []
    feeder.feed_all()
    assert Message.objects.get(broadcast=broadcast).status == ends_as
    if ends_as == "queued":
        lifecycle.resume(broadcast, actor=cast.admin)
        assert len(claim_batch(connection.pk, **lane).messages) == 1


def test_a_broken_connection_pauses_with_the_reason_and_mended_it_goes_on(
    running: Make, cast: Cast, connection: Connection
) -> None:
    broadcast = running([number(1)])
    feeder.feed_all()
    mark_broken(connection, code=20003)
    feeder.feed_all()
    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.paused_reason) == ("paused", "connection")
    assert connection.name in broadcast.paused_detail
    with pytest.raises(lifecycle.BroadcastProblem) as refused:
        lifecycle.resume(broadcast, actor=cast.admin)
    assert refused.value.code == "connection_broken"
    Connection.objects.filter(pk=connection.pk).update(status="active", broken_code=None)
    lifecycle.resume(Broadcast.objects.get(pk=broadcast.pk), actor=cast.admin)
    assert claim_batch(connection.pk, sender=connection.sends_as, lane=Message.Lane.BULK, limit=1).taken == 1


def test_a_suspended_organization_is_not_fed(running: Make, cast: Cast) -> None:
    running([number(1)])
    type(cast.organization).objects.filter(pk=cast.organization.pk).update(status="suspended")
    assert feeder.feed_all() == 0


def test_broadcasts_of_two_organizations_are_fed_each_from_its_own_rows(running: Make, cast: Cast) -> None:
    running([number(1)])
    feeder.feed_all()
    assert Message.objects.exclude(organization=cast.organization).count() == 0


def test_trouble_with_one_broadcast_keeps_no_other_waiting(running: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    troubled, other = running([number(1)]), running([number(2)])
    feed_chunk = feeder.feed_chunk

    def stumble(key: Any) -> int:
        if key == troubled.pk:
            raise DataError("integer out of range")
        return feed_chunk(key)

    monkeypatch.setattr(feeder, "feed_chunk", stumble)
    assert feeder.feed_all() == 1
    assert list(Message.objects.values_list("broadcast_id", flat=True)) == [other.pk]


def test_feeding_costs_as_many_statements_for_a_thousand_rows_as_for_one(
    running: Make, django_assert_max_num_queries: Any
) -> None:
    broadcast = running([number(n) for n in range(1, 1001)])
    with django_assert_max_num_queries(14):
        assert feeder.feed_chunk(broadcast.pk) == 1000


def test_what_disconnecting_means_for_broadcasts_is_said(running: Make, connection: Connection) -> None:
    assert list(what_pauses(connection)) == []
    running([number(1)])
    assert list(what_pauses(connection)) == ["1 broadcast under way will stop, and cannot be resumed."]
