"""Messages per second: by sender and by connection, over several workers, lowered by complaints and recovering."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection as database
from django.db.models.functions import Now

from integrations.connections.models import Connection
from messaging.sending import pace
from messaging.sending.claim import claim_batch
from messaging.sending.engine import Engine
from messaging.sending.limit_models import Pace
from messaging.sending.limits import limits_of
from messaging.sending.models import Message, MessageEvent
from messaging.sending.policy import set_sender_limit
from messaging.sending.poll import poll_due
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]
ONE, OTHER = "+15550001111", "+15550002222"


def claim(connection: Connection, *, sender: str, lane: int = 0, limit: int = 100) -> list[float]:
    """Claim, and return the moments at which the messages may begin."""
    limits = limits_of(connection, sender=sender)
    return sorted(
        one.begin_at
        for one in claim_batch(connection.pk, sender=sender, lane=lane, limit=limit, limits=limits).messages
    )


def gaps(moments: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(moments)]


def test_connection_without_a_limit_locks_and_makes_nothing(queue: Queue, sandbox_connection: Connection) -> None:
    message = queue()
    limits = limits_of(sandbox_connection, sender=message.sender)
    assert limits.is_free
    assert not Pace.objects.exists()


def test_messages_of_a_limited_connection_are_spaced(queue: Queue, sandbox_connection: Connection) -> None:
    sandbox_connection.mps = 20
    sandbox_connection.save()
    for _ in range(40):
        message = queue()
    moments = claim(sandbox_connection, sender=message.sender)
    assert 10 <= len(moments) <= 13, "as many as fit into the horizon of a transactional claim"
    assert all(abs(gap - 0.05) < 0.001 for gap in gaps(moments))
    later = claim(sandbox_connection, sender=message.sender)
    assert all(moment > moments[-1] + 0.03 for moment in later), "what was taken is taken, for every worker"


def test_segments_weigh(queue: Queue, sandbox_connection: Connection) -> None:
    set_sender_limit(sandbox_connection, sender=ONE, mps=20, actor=None)
    for number in range(10):
        message = queue(segments=4)
        Message.objects.filter(pk=message.pk).update(sender=ONE, due_at=Now() - timedelta(seconds=60 - number))
    moments = claim(sandbox_connection, sender=ONE)
    assert len(moments) == 3
    assert all(abs(gap - 0.2) < 0.001 for gap in gaps(moments))


def test_throttled_sender_does_not_hold_up_another(
    engine: Engine, queue: Queue, sandbox: SandboxServer, sandbox_connection: Connection
) -> None:
    for number in (ONE, OTHER):
        sandbox.control.add_number(sandbox_connection.account_sid, number)
    set_sender_limit(sandbox_connection, sender=ONE, mps="0.5", actor=None)
    slow = [queue() for _ in range(10)]
    Message.objects.update(sender=ONE)
    quick = [queue() for _ in range(30)]
    Message.objects.filter(pk__in=[row.pk for row in quick]).update(sender=OTHER)
    engine.wake(sandbox_connection.pk, lane=0)
    for message in quick:
        settled(message, "accepted", seconds=8)
    assert Message.objects.filter(pk__in=[row.pk for row in slow]).exclude(status="queued").count() < 10


def test_rate_holds_over_several_workers(queue: Queue, sandbox_connection: Connection) -> None:
    sandbox_connection.mps = 50
    sandbox_connection.save()
    for _ in range(150):
        message = queue()
    moments: list[float] = []
    until = time.monotonic() + 1.5

    def work() -> None:
        while time.monotonic() < until:
            moments.extend(claim(sandbox_connection, sender=message.sender, lane=0, limit=10))
            time.sleep(0.02)
        database.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    moments.sort()
    # The horizon of one claim besides the time itself, and nothing more.
    assert 75 <= len(moments) <= 50 * (1.5 + 0.6) + 5
    for index in range(len(moments) - 25):
        assert moments[index + 25] - moments[index] > 0.4, "25 messages want half a second"


def test_paced_messages_leave_in_their_rhythm_and_none_twice(
    engine: Engine, queue: Queue, sandbox: SandboxServer, sandbox_connection: Connection
) -> None:
    sandbox_connection.mps = 20
    sandbox_connection.save()
    messages = [queue() for _ in range(30)]
    began = time.monotonic()
    engine.wake(sandbox_connection.pk, lane=0)
    for message in messages:
        settled(message, "accepted", "sent", "delivered")
    assert 1.3 < time.monotonic() - began < 4
    assert sandbox.control.stats()["posts"] == 30
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


def test_transactional_message_finds_a_moment_before_the_next_of_bulk(
    queue: Queue, sandbox_connection: Connection
) -> None:
    sandbox_connection.mps = 20
    sandbox_connection.save()
    for _ in range(80):
        message = queue(lane=1)
    queue(lane=0)
    Pace.objects.create(connection=sandbox_connection)
    Pace.objects.update(next_at=Now() + timedelta(seconds=0.5))
    assert claim(sandbox_connection, sender=message.sender, lane=1) == []
    assert len(claim(sandbox_connection, sender=message.sender, lane=0)) == 1


class TestSlowingDown:
    """What Twilio's complaints teach."""

    def learned(self, connection: Connection, sender: str) -> float | None:
        return next((speed.learned for speed in pace.speeds_of(connection) if speed.sender == sender), None)

    def test_complaint_halves_a_set_rate_once_for_a_burst_and_is_shown(self, sandbox_connection: Connection) -> None:
        set_sender_limit(sandbox_connection, sender=ONE, mps=10, actor=None)
        assert pace.slow_down(sandbox_connection.pk, ONE, 30001)
        assert not pace.slow_down(sandbox_connection.pk, ONE, 30001)
        assert self.learned(sandbox_connection, ONE) == 5
        assert pace.speeds_of(sandbox_connection)[0].code == 30001

    def test_it_recovers_step_by_step_until_what_is_set(self, sandbox_connection: Connection) -> None:
        set_sender_limit(sandbox_connection, sender=ONE, mps=10, actor=None)
        pace.slow_down(sandbox_connection.pk, ONE, 21611)
        for seconds, expected in ((0, 5), (20, 6.25), (60, 9.77), (80, None), (60 * 60 * 24 * 365, None)):
            Pace.objects.update(slowed_at=Now() - timedelta(seconds=seconds + 5))
            assert self.learned(sandbox_connection, ONE) == (pytest.approx(expected, abs=0.01) if expected else None)

    def test_sender_without_a_limit_is_lowered_from_what_it_really_sent(
        self, queue: Queue, sandbox_connection: Connection
    ) -> None:
        for _ in range(40):
            message = queue(status="accepted")
            MessageEvent.objects.create(message=message, status="accepted", source="engine")
        assert pace.slow_down(sandbox_connection.pk, message.sender, 21611)
        assert self.learned(sandbox_connection, message.sender) == pytest.approx(20, rel=0.3)
        assert limits_of(sandbox_connection, sender=message.sender).is_paced
        Pace.objects.update(slowed_at=Now() - timedelta(minutes=20))
        assert limits_of(sandbox_connection, sender=message.sender).is_free

    def test_no_complaint_lowers_a_sender_below_what_the_slowest_of_twilios_takes(
        self, sandbox_connection: Connection
    ) -> None:
        set_sender_limit(sandbox_connection, sender=ONE, mps=3, actor=None)
        set_sender_limit(sandbox_connection, sender=OTHER, mps="0.4", actor=None)
        for sender, lowest in ((ONE, 1), (OTHER, pytest.approx(0.4))):
            for _ in range(4):
                Pace.objects.update(slowed_at=Now() - timedelta(seconds=11))
                pace.slow_down(sandbox_connection.pk, sender, 21611)
            Pace.objects.update(slowed_at=Now())
            assert (self.learned(sandbox_connection, sender) or 0.4) == lowest

    def test_failures_after_the_fact_count_where_they_are_not_rare(
        self, queue: Queue, sandbox_connection: Connection
    ) -> None:
        def fail_one() -> bool:
            failed = queue(status="failed")
            MessageEvent.objects.create(message=failed, status="failed", source="callback", error_code=30001)
            return pace.slow_down(sandbox_connection.pk, failed.sender, 30001)

        for _ in range(60):
            message = queue(status="accepted")
            MessageEvent.objects.create(message=message, status="accepted", source="engine")
        assert [fail_one(), fail_one()] == [False, False], "two of sixty are what every carrier loses"
        assert not Pace.objects.exists()
        assert fail_one(), "three of sixty are one in twenty"

        Pace.objects.all().delete()
        MessageEvent.objects.filter(status="failed").delete()
        assert pace.slow_down(sandbox_connection.pk, message.sender, 21611), "a full queue is no chance"

    def test_other_codes_teach_nothing(self, sandbox_connection: Connection) -> None:
        assert not any(pace.slow_down(sandbox_connection.pk, ONE, code) for code in (None, 20429, 30003, 14107))
        assert not Pace.objects.exists()

    def test_refusal_of_a_post_slows_its_sender_down(
        self, engine: Engine, queue: Queue, sandbox: SandboxServer
    ) -> None:
        message = queue()
        sandbox.control.set_dials({"outcomes": {message.phone: {"error_code": 21611}}})
        engine.wake(message.connection_id, lane=0)
        wait_until(lambda: Pace.objects.filter(sender=message.sender, slowed_code=21611).exists())
        message.refresh_from_db()
        assert (message.status, message.error_code) == ("queued", 21611)

    def test_failure_found_by_polling_slows_its_sender_down(
        self, engine: Engine, queue: Queue, sandbox: SandboxServer
    ) -> None:
        message = queue()
        sandbox.control.change_dials({"outcomes": {message.phone: {"status": "failed", "error_code": 30001}}})
        engine.wake(message.connection_id, lane=0)
        settled(message, "accepted")

        def is_failed() -> bool:
            Message.objects.filter(pk=message.pk, status__in=["accepted", "sent"]).update(
                next_check_at=Now() - timedelta(seconds=1)
            )
            poll_due()
            message.refresh_from_db()
            return message.status == "failed"

        wait_until(is_failed)
        assert Pace.objects.get().slowed_code == 30001

    def test_report_of_a_callback_slows_its_sender_down(self, queue: Queue) -> None:
        message = queue(status="failed")
        assert pace.slow_down_for({(message.pk, 30022), (message.pk, 30003)}) == 1
        assert Pace.objects.get().sender == message.sender


def test_limit_of_a_sender_is_audited_once(cast: Cast, sandbox_connection: Connection) -> None:
    assert set_sender_limit(sandbox_connection, sender=ONE, mps=3, actor=cast.admin)
    assert not set_sender_limit(sandbox_connection, sender=ONE, mps=3, actor=cast.admin)
