"""Callbacks are applied in bulk by the workers: nothing is lost, doubled or held up by a neighbour."""

import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import DataError, close_old_connections, transaction
from django.utils import timezone

from config import calling
from integrations.connections.models import Connection
from messaging.consent.models import OptOut
from messaging.receipts import apply, tasks, wake
from messaging.receipts.apply import apply_batch
from messaging.receipts.forget import forget_old_callbacks
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from messaging.sending.transitions import advance
from tests.factories import ConnectionFactory, MessageFactory

from .conftest import SID

_DIE = "SELECT pg_terminate_backend(pg_backend_pid()), %s::bigint[], %s::text[]"

pytestmark = pytest.mark.django_db


def say(message: Message, status: str, *, sid: str = "", **params: Any) -> Callback:
    """Store a callback as the web does."""
    sid = sid or message.provider_sid or SID
    return Callback.objects.create(
        connection=message.connection,
        kind="status",
        message_id=message.pk,
        params={"MessageSid": sid, "MessageStatus": status, **params},
        checked_with="twilio_signature",
    )


def make(connection: Connection, number: int, **fields: Any) -> Message:
    fields = {"status": "accepted", "provider_sid": f"SM{number:032x}", **fields}
    return MessageFactory(organization=connection.organization, connection=connection, **fields)


def history(message: Message) -> list[str]:
    return list(message.events.values_list("status", flat=True))


def outcomes() -> list[str]:
    return list(Callback.objects.order_by("id").values_list("outcome", flat=True))


def test_callbacks_of_one_message_in_one_batch_each_leave_their_event(connection: Connection) -> None:
    message = make(connection, 1)
    for status in ("queued", "sent", "sent", "delivered", "read"):
        say(message, status)
    assert apply_batch() == 5
    message.refresh_from_db()
    assert message.status == "read"
    assert history(message) == ["sent", "delivered", "read"]
    assert outcomes() == ["nothing_new", "applied", "nothing_new", "applied", "applied"]


def test_reversed_and_doubled_in_one_batch_end_at_the_furthest(connection: Connection) -> None:
    messages = [make(connection, number) for number in range(1, 6)]
    for status in ("delivered", "delivered", "sent", "queued", "delivered"):
        for message in messages:
            say(message, status)
    assert apply_batch() == 25
    for message in messages:
        message.refresh_from_db()
        assert (message.status, history(message)) == ("delivered", ["delivered"])


def test_failed_without_code_beside_one_with_a_code_keeps_the_code(connection: Connection) -> None:
    first, second = make(connection, 1), make(connection, 2)
    say(first, "failed", ErrorCode="30007")
    say(first, "failed")
    say(second, "failed")
    say(second, "failed", ErrorCode="30005")
    apply_batch()
    for message, code in ((first, 30007), (second, 30005)):
        message.refresh_from_db()
        assert (message.status, message.error_code, history(message)) == ("failed", code, ["failed"])
    assert outcomes() == ["applied", "nothing_new", "applied", "applied"]


def test_two_sids_for_one_message_in_one_batch_the_second_contradicts(connection: Connection) -> None:
    message = make(connection, 1, status="sending", provider_sid="")
    say(message, "sent", sid="SM" + "a" * 32)
    say(message, "delivered", sid="SM" + "b" * 32)
    say(message, "delivered", sid="SM" + "b" * 32)
    apply_batch()
    message.refresh_from_db()
    assert (message.status, message.provider_sid) == ("sent", "SM" + "a" * 32)
    assert outcomes() == ["applied", "contradicts", "contradicts"]


def test_batch_holds_so_many_and_the_oldest_first(connection: Connection) -> None:
    messages = [make(connection, number) for number in range(1, 8)]
    for message in messages:
        say(message, "sent")
    assert apply_batch(limit=5) == 5
    assert outcomes() == ["applied"] * 5 + [""] * 2
    assert apply_batch(limit=5) == 2
    assert apply_batch(limit=5) == 0


def test_bulk_needs_the_same_few_statements_for_two_and_for_fifty(
    connection: Connection, django_assert_num_queries: Any
) -> None:
    for count in (2, 50):
        for number in range(count):
            say(make(connection, 1000 * count + number), "sent")
        # A savepoint around four statements: take, lock, move, write down.
        with django_assert_num_queries(6):
            assert apply_batch() == count


def test_sid_of_another_message_spoils_no_neighbour(connection: Connection) -> None:
    settled = make(connection, 99)
    waiting = [make(connection, number, status="sending", provider_sid="") for number in range(1, 9)]
    for number, message in enumerate(waiting):
        say(message, "sent", sid=settled.provider_sid if number == 4 else f"SM{500 + number:032x}")
    apply_batch()
    assert outcomes() == ["applied"] * 4 + ["contradicts"] + ["applied"] * 3
    assert sorted(Message.objects.filter(pk__in=[m.pk for m in waiting]).values_list("status", flat=True)) == (
        ["sending"] + ["sent"] * 7
    )


def test_poisoned_callback_is_set_apart_counted_and_given_up(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [make(connection, number) for number in range(1, 8)]
    poison = [say(message, "sent") for message in messages][3]

    def refuse_one(moves: Any) -> set[uuid.UUID]:
        moves = list(moves)
        if any(move.message_id == messages[3].pk for move in moves):
            raise DataError("no column holds this")
        return advance(moves)

    monkeypatch.setattr(apply, "advance", refuse_one)
    apply_batch()
    assert outcomes() == ["applied"] * 3 + [""] + ["applied"] * 3
    for attempts in range(1, 5):
        poison.refresh_from_db()
        assert (poison.attempts, poison.outcome) == (attempts, "")
        Callback.objects.update(received_at=timezone.now())
        assert apply_batch() == 0, "it must not come again at once"
        Callback.objects.update(received_at=timezone.now() - timedelta(minutes=5))
        apply_batch()
    poison.refresh_from_db()
    assert (poison.attempts, poison.outcome) == (5, "unreadable")


@pytest.mark.parametrize("params", [[], "text", 7, {"MessageSid": [], "MessageStatus": {}}])
def test_strange_json_is_unreadable_and_harmless(connection: Connection, params: Any) -> None:
    message = make(connection, 1)
    callback = say(message, "sent")
    Callback.objects.filter(pk=callback.pk).update(params=params)
    say(message, "delivered")
    apply_batch()
    assert outcomes() == ["unreadable", "applied"]


def test_applying_what_was_applied_but_not_marked_changes_nothing(connection: Connection) -> None:
    message = make(connection, 1)
    say(message, "sent")
    say(message, "failed", ErrorCode="30003")
    apply_batch()
    Callback.objects.update(outcome="")
    apply_batch()
    message.refresh_from_db()
    assert (message.status, message.error_code, history(message)) == ("failed", 30003, ["sent", "failed"])


@pytest.mark.parametrize("code", [21610, 30630, 63033])
def test_opt_outs_of_a_batch_are_recorded_once_each(connection: Connection, code: int) -> None:
    messages = [make(connection, number) for number in range(1, 4)]
    for message in messages:
        for _ in range(2):
            say(message, "failed", ErrorCode=str(code))
    apply_batch()
    assert sorted(OptOut.objects.values_list("phone", flat=True)) == sorted(message.phone for message in messages)


def test_replayed_21610_does_not_undo_a_later_start(connection: Connection) -> None:
    message = make(connection, 1)
    say(message, "failed", ErrorCode="21610")
    apply_batch()
    OptOut.objects.update(ended_at=timezone.now(), ended_by="keyword")
    say(message, "failed", ErrorCode="21610")
    apply_batch()
    assert not OptOut.objects.filter(ended_at=None).exists()


@pytest.mark.django_db(transaction=True)
class TestManyWorkers:
    """Rows that one worker holds are another's to leave alone."""

    @pytest.fixture
    def connection(self) -> Connection:
        return ConnectionFactory()

    def test_rows_that_another_worker_holds_are_skipped(self, connection: Connection) -> None:
        messages = [make(connection, number) for number in range(1, 4)]
        held, *_ = [say(message, "sent") for message in messages]
        applied: list[int] = []

        def work() -> None:
            applied.append(apply_batch())
            close_old_connections()

        with transaction.atomic():
            list(Callback.objects.select_for_update().filter(pk=held.pk))
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(10)
        assert applied == [2]
        assert apply_batch() == 1

    def test_worker_that_dies_before_the_end_leaves_everything_to_the_next(
        self, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = make(connection, 1)
        say(message, "delivered")
        monkeypatch.setattr(apply, "_WRITE_DOWN", _DIE)
        with pytest.raises(apply.OperationalError):
            apply_batch()
        close_old_connections()
        message.refresh_from_db()
        assert (message.status, history(message)) == ("accepted", [])
        monkeypatch.undo()
        assert apply_batch() == 1
        message.refresh_from_db()
        assert (message.status, history(message)) == ("delivered", ["delivered"])

    def test_woken_worker_applies_what_comes_while_it_looks(
        self, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks, "_LINGER", 0.3)
        message = make(connection, 1)
        say(message, "sent")

        def work() -> None:
            tasks.apply_new()
            close_old_connections()

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.15)
        say(message, "delivered")
        thread.join(10)
        message.refresh_from_db()
        assert (message.status, history(message)) == ("delivered", ["sent", "delivered"])
        assert not tasks._busy.locked()


class TestWaking:
    """The call to the workers: one for many callbacks, and none of it can fail the request."""

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        sent: list[str] = []
        monkeypatch.setattr("config.calling.app.send_task", lambda name, **_: sent.append(name))
        monkeypatch.setattr(wake, "_seen_until", 0.0)
        monkeypatch.setattr(calling, "_doubtful_until", 0.0)
        calling.begin(wake._MARK)
        return sent

    def test_many_callbacks_need_one_call_while_somebody_looks(self, sent: list[str]) -> None:
        for _ in range(20):
            wake.wake()
        assert sent == ["messaging.receipts.apply_new"]

    def test_whoever_stops_looking_can_be_called_again(self, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        wake.wake()
        wake.stay_awake()
        wake.fall_asleep()
        monkeypatch.setattr(wake, "_seen_until", 0.0)
        wake.wake()
        assert len(sent) == 2

    def test_without_valkey_nothing_fails(self, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> Any:
            raise redis.ConnectionError("away")

        monkeypatch.setattr(calling, "broker_client", away)
        wake.wake()
        wake.stay_awake()
        wake.fall_asleep()
        assert sent == []


class TestForgetting:
    """Raw webhooks are kept for a while, not for ever."""

    def test_only_old_ones_that_were_dealt_with_go(self, connection: Connection, settings: Any) -> None:
        settings.CALLBACKS_KEPT_DAYS = 30
        message = make(connection, 1)
        for outcome, days in (("applied", 31), ("", 31), ("contradicts", 31), ("applied", 29), ("", 0)):
            callback = say(message, "sent")
            Callback.objects.filter(pk=callback.pk).update(
                outcome=outcome, received_at=timezone.now() - timedelta(days=days)
            )
        assert forget_old_callbacks() == 2
        assert outcomes() == ["", "applied", ""]
        assert forget_old_callbacks() == 0

    def test_goes_on_over_many_batches(self, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("messaging.receipts.forget._BATCH", 3)
        message = make(connection, 1)
        for _ in range(10):
            say(message, "sent")
        Callback.objects.update(outcome="applied", received_at=timezone.now() - timedelta(days=400))
        say(message, "sent")
        tasks.clean_up()
        assert outcomes() == [""]
