"""Clocks of machines that go wrong by ten minutes: nothing is delayed, doubled or ended because of it."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection as database
from django.db.models.functions import Now

from integrations import clock
from integrations.connections.models import Connection
from messaging.sending import pulse, reconcile, sweeps
from messaging.sending.claim import claim_batch
from messaging.sending.engine import Engine
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from messaging.sending.poll import poll_due
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]


@pytest.fixture(params=[-10, 10], ids=["slow", "fast"])
def wrong_clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """This process's clock goes wrong by ten minutes; PostgreSQL's and the sandbox's do not."""
    clock.forget()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=request.param), tick=True):
        yield
    clock.forget()


def test_database_time_is_never_ahead_and_hardly_behind() -> None:
    clock.forget()
    for _ in range(3):
        ours = clock.database_now()
        with database.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            theirs = cursor.fetchone()[0]
        assert timedelta(seconds=-0.001) <= theirs - ours < timedelta(seconds=2)
        time.sleep(0.05)


def test_message_queued_by_a_wrong_clock_leaves_at_once_and_lives_as_long_as_others(
    engine: Engine, cast: Cast, sandbox: SandboxServer, sandbox_connection: Connection, wrong_clock: None
) -> None:
    message = enqueue(cast.organization, draft=Draft(to="+4915112345678", body="Hello"))
    engine.wake(sandbox_connection.pk, lane=0)
    settled(message, "accepted", "sent", "delivered")
    assert message.attempts == 1
    assert len(sandbox.control.messages(to=message.phone)) == 1
    assert abs(message.valid_until - message.handed_over_at - timedelta(hours=10)) < timedelta(seconds=20)


def test_wrong_clock_of_the_worker_neither_ends_nor_revives_a_message(
    queue: Queue, sandbox_connection: Connection, wrong_clock: None
) -> None:
    fresh, old = queue(), queue()
    Message.objects.filter(pk=fresh.pk).update(due_at=Now(), valid_until=Now() + timedelta(minutes=5))
    Message.objects.filter(pk=old.pk).update(due_at=Now(), valid_until=Now() - timedelta(minutes=5))
    claim = claim_batch(sandbox_connection.pk, sender=fresh.sender, lane=0, limit=5)
    assert [one.id for one in claim.messages] == [fresh.pk]
    assert 250 < claim.messages[0].seconds_left <= 300


def test_wrong_clock_takes_no_lease_away_and_wakes_nothing_too_early(
    queue: Queue, sandbox_connection: Connection, wrong_clock: None
) -> None:
    later, held = queue(status="scheduled"), queue()
    Message.objects.filter(pk=later.pk).update(due_at=Now() + timedelta(minutes=5))
    Message.objects.filter(pk=held.pk).update(due_at=Now())
    claim_batch(sandbox_connection.pk, sender=held.sender, lane=0, limit=5)
    assert sweeps.release_scheduled() == 0
    assert sweeps.release_expired_leases() == 0
    Message.objects.filter(pk=later.pk).update(due_at=Now() - timedelta(minutes=5))
    Message.objects.filter(pk=held.pk).update(lease_until=Now() - timedelta(seconds=1))
    assert sweeps.release_scheduled() == 1
    assert sweeps.release_expired_leases() == 1
    held.refresh_from_db()
    assert abs(held.next_check_at - clock.database_now()) < timedelta(seconds=30)


def test_unknown_message_is_settled_in_its_time_and_not_sent_twice(
    engine: Engine, queue: Queue, sandbox: SandboxServer, settings: object, wrong_clock: None
) -> None:
    settings.TWILIO_TIMEOUT, settings.RECONCILE_AFTER = 0.5, 0.1  # type: ignore[attr-defined]
    sandbox.control.set_dials({"rate_accept_hang": 1.0})
    message = queue()
    Message.objects.update(due_at=Now(), valid_until=Now() + timedelta(hours=1))
    engine.wake(message.connection_id, lane=0)
    settled(message, "unknown")
    sandbox.control.set_dials({"rate_accept_hang": 0})
    wait_until(lambda: reconcile.reconcile_due() > 0)
    settled(message, "accepted", "sent", "delivered")
    assert len(sandbox.control.messages(to=message.phone)) == 1


def test_polling_keeps_its_pauses(engine: Engine, queue: Queue, settings: object, wrong_clock: None) -> None:
    settings.POLL_AFTER = 60  # type: ignore[attr-defined]
    message = queue()
    Message.objects.update(due_at=Now(), valid_until=Now() + timedelta(hours=1))
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")
    assert poll_due() == 0
    Message.objects.update(next_check_at=Now() - timedelta(seconds=1))
    assert poll_due() == 1


def test_worker_on_a_machine_with_a_wrong_clock_is_alive(wrong_clock: None) -> None:
    pulse.beat(name="worker@elsewhere")
    assert [worker.name.partition(":")[0] for worker in pulse.alive_workers()] == ["worker@elsewhere"]
