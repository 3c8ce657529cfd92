"""The day's cap: exact over several workers, on the organization's day, in words."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.sending.claim import Claim, claim_batch, give_back
from messaging.sending.engine import Engine
from messaging.sending.limit_models import DailyUse
from messaging.sending.limits import limits_of
from messaging.sending.models import Message
from messaging.sending.policy import cap_use, change_policy, policy_of
from messaging.sending.reasons import reason_of
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]


def claim(connection: Connection, *, limit: int = 100) -> Claim:
    sender = connection.messaging_service_sid
    limits = limits_of(connection, sender=sender)
    return claim_batch(connection.pk, sender=sender, lane=0, limit=limit, limits=limits)


@pytest.fixture
def capped(cast: Cast) -> Callable[[int | None], None]:
    return lambda cap: change_policy(cast.organization, values={"daily_cap": cap}, actor=cast.admin) and None


def test_messages_over_the_cap_wait_for_the_next_day_and_say_so(
    cast: Cast, queue: Queue, sandbox_connection: Connection, capped: Callable[[int], None]
) -> None:
    capped(3)
    messages = [queue() for _ in range(5)]
    until = messages[4].valid_until
    assert len(claim(sandbox_connection).messages) == 3
    last = Message.objects.get(pk=messages[4].pk)
    zone = ZoneInfo(cast.organization.time_zone)
    today = timezone.now().astimezone(zone).date()
    assert (last.status, last.error_reason, last.attempts) == ("queued", "daily_cap", 0)
    assert last.due_at == datetime.combine(today + timedelta(days=1), datetime.min.time(), zone)
    assert last.valid_until > until, "the wait does not use its life up"
    assert list(last.events.values_list("status", "note")) == [("queued", "daily_cap")]
    reason = reason_of(last)
    assert reason is not None
    assert "limit" in reason.title
    assert claim(sandbox_connection).taken == 0


def test_several_workers_together_never_pass_the_cap(
    cast: Cast, queue: Queue, sandbox_connection: Connection, capped: Callable[[int], None]
) -> None:
    capped(50)
    for _ in range(120):
        queue()
    gone: list[int] = []

    def work() -> None:
        for _ in range(20):
            gone.append(len(claim(sandbox_connection, limit=7).messages))
        database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(gone) == 50
    assert cap_use(cast.organization).used == 50
    assert Message.objects.filter(status="queued", error_reason="daily_cap").count() == 70


def test_second_attempt_counts_no_second_time_and_what_did_not_begin_not_at_all(
    cast: Cast, queue: Queue, sandbox_connection: Connection, capped: Callable[[int], None]
) -> None:
    capped(2)
    first = queue()
    claim(sandbox_connection)
    Message.objects.update(status="queued", claim_token=None)
    assert len(claim(sandbox_connection).messages) == 1
    assert cap_use(cast.organization).used == 1
    queue(phone=first.phone)
    held = claim(sandbox_connection).messages
    assert cap_use(cast.organization).used == 2
    give_back(held)
    assert cap_use(cast.organization).used == 1


def test_code_over_the_cap_fails_at_once(
    engine: Engine, queue: Queue, sandbox: SandboxServer, capped: Callable[[int], None]
) -> None:
    capped(0)
    message = queue(purpose="verification")
    engine.wake(message.connection_id, lane=0)
    settled(message, "failed")
    assert message.error_reason == "daily_cap"
    assert sandbox.control.stats()["posts"] == 0


def test_raised_cap_lets_go_what_waits(
    cast: Cast, queue: Queue, sandbox_connection: Connection, capped: Callable[[int | None], None]
) -> None:
    capped(1)
    for _ in range(3):
        queue()
    claim(sandbox_connection)
    capped(2)
    assert len(claim(sandbox_connection).messages) == 1
    capped(None)
    assert len(claim(sandbox_connection).messages) == 1


def test_cap_set_in_the_course_of_the_day_counts_what_went_out_before(
    cast: Cast, queue: Queue, capped: Callable[[int], None]
) -> None:
    queue(status="accepted", attempts=1, posted_at=timezone.now())
    queue(status="accepted", attempts=1, posted_at=timezone.now() - timedelta(days=2))
    capped(10)
    assert cap_use(cast.organization).used == 1


def test_use_of_the_cap_warns_from_four_fifths_on(cast: Cast, capped: Callable[[int | None], None]) -> None:
    assert cap_use(cast.organization).cap is None
    assert not cap_use(cast.organization).is_near
    capped(10)
    for used, percent, is_near, is_reached in ((0, 0, False, False), (7, 70, False, False), (8, 80, True, False),
                                               (10, 100, True, True)):  # fmt: skip
        DailyUse.objects.update(used=used)
        use = cap_use(cast.organization)
        assert (use.used, use.percent, use.is_near, use.is_reached) == (used, percent, is_near, is_reached)


def test_change_is_audited_and_the_same_again_is_none(cast: Cast) -> None:
    assert change_policy(cast.organization, values={"blocked_regions": ["KP"]}, actor=cast.admin)
    assert change_policy(cast.organization, values={"blocked_regions": ["KP"]}, actor=cast.admin) == {}
    entry = AuditEntry.objects.get(action="sending.limits_changed")
    assert entry.changes == {"blocked_regions": ["", "KP"]}
    assert policy_of(cast.organization).blocked_regions == ["KP"]
