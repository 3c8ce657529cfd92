"""When a request may begin: not before its turn, not after its second, never after its message's life."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.consent.models import OptOut
from messaging.sending import claim as claim_module
from messaging.sending.claim import BEGIN_WITHIN, claim_batch, give_back
from messaging.sending.engine import Engine
from messaging.sending.models import Message, MessageEvent
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)
Queue = Callable[..., Message]


def timeline(message: Message) -> list[tuple[str, str]]:
    return list(message.events.order_by("id").values_list("status", "note"))


@pytest.fixture
def slow_loop(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Hold the event loop up for the seconds in the list, one after the other, before a claim's posts."""
    pauses: list[float] = []
    begin = Engine._begin_posts

    def begin_late(self: Engine, *args: object) -> None:
        if pauses:
            time.sleep(pauses.pop(0))
        begin(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_begin_posts", begin_late)
    return pauses


def test_busy_loop_begins_nothing_after_its_time_and_uses_no_attempt_up(
    engine: Engine, queue: Queue, sandbox: SandboxServer, slow_loop: list[float]
) -> None:
    slow_loop.extend([1.0, 1.0])
    message = queue()
    engine.wake(message.connection_id, lane=0)
    settled(message, "accepted")
    assert message.attempts == 1
    assert sandbox.control.stats()["posts"] == 1
    # Given back twice, said once.
    assert timeline(message) == [("sending", ""), ("queued", "not_begun"), ("accepted", "")]


def test_nothing_begins_later_than_a_second_after_a_stop(
    engine: Engine, queue: Queue, sandbox: SandboxServer, slow_loop: list[float]
) -> None:
    slow_loop.append(1.0)
    messages = [queue() for _ in range(20)]
    engine.wake(messages[0].connection_id, lane=0)
    wait_until(lambda: Message.objects.filter(status="sending").count() == 20)
    for message in messages:
        OptOut.objects.create(organization=message.organization, phone=message.phone, source="keyword")
    for message in messages:
        settled(message, "blocked")
        assert (message.attempts, message.error_reason) == (0, "opted_out")
    assert sandbox.control.stats()["posts"] == 0


def test_slow_claim_statement_counts_from_before_it_looked(
    engine: Engine, queue: Queue, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        claim_module, "_PLAIN", claim_module._PLAIN.replace("FROM moved\n", "FROM moved, pg_sleep(1)\n", 1)
    )
    message = queue()
    began = time.monotonic()
    claim = claim_batch(message.connection_id, sender=message.sender, lane=0, limit=1)
    assert time.monotonic() - began > 1
    assert claim.messages[0].begin_before <= began + BEGIN_WITHIN + 0.1


def test_message_that_became_old_between_claim_and_post_is_not_posted(
    engine: Engine, queue: Queue, sandbox: SandboxServer, slow_loop: list[float]
) -> None:
    slow_loop.append(0.6)
    message = queue(valid_until=timezone.now() + timedelta(seconds=0.5))
    engine.wake(message.connection_id, lane=0)
    settled(message, "failed")
    assert (message.error_reason, message.attempts) == ("expired", 0)
    assert sandbox.control.stats()["posts"] == 0


def test_smaller_claims_follow_where_not_all_could_begin(engine: Engine, queue: Queue, slow_loop: list[float]) -> None:
    slow_loop.append(1.0)
    messages = [queue() for _ in range(40)]
    before = engine._at_once
    engine.wake(messages[0].connection_id, lane=0)
    wait_until(lambda: not Message.objects.filter(status__in=["queued", "sending"]).exists(), seconds=20)
    assert engine._at_once < before
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


def test_claim_of_somebody_else_is_not_given_back(queue: Queue) -> None:
    message = queue()
    (lost,) = claim_batch(message.connection_id, sender=message.sender, lane=0, limit=1).messages
    Message.objects.update(status="queued", claim_token=None)
    (held,) = claim_batch(message.connection_id, sender=message.sender, lane=0, limit=1).messages
    assert give_back([lost]) == set()
    assert give_back([held]) == {message.pk}
    assert give_back([held]) == set()
    message.refresh_from_db()
    assert (message.status, message.attempts, message.error_reason) == ("queued", 1, "not_begun")


def test_lost_claim_that_surely_did_not_begin_is_no_longer_unknown(queue: Queue) -> None:
    message = queue()
    (held,) = claim_batch(message.connection_id, sender=message.sender, lane=0, limit=1).messages
    Message.objects.update(status="unknown")
    assert give_back([held]) == {message.pk}
    message.refresh_from_db()
    assert (message.status, message.claim_token, message.attempts) == ("queued", None, 0)
    assert MessageEvent.objects.filter(message=message, note="not_begun").count() == 1
