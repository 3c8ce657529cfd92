"""How many requests are under way at once: learned from 20429, and a share for transactional messages."""

import threading
import time
from collections.abc import Callable

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.sending.engine import Engine
from messaging.sending.models import Message
from messaging.sending.places import FOR_TRANSACTIONAL, MOST, Account, Places
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MessageFactory
from tests.plugins.sandbox import SandboxServer, wait_until

from .conftest import settled

Queue = Callable[..., Message]


class TestAccount:
    """Additive increase, multiplicative decrease."""

    def test_nothing_is_limited_before_twilio_complains(self) -> None:
        account = Account()
        account.note_answer()
        assert account.free(is_bulk=True) == MOST

    def test_refusal_halves_what_was_under_way_once_for_a_burst(self) -> None:
        account = Account(in_flight=40)
        begun = time.monotonic() - 1
        for _ in range(10):
            account.note_refusal(begun_at=begun)
        assert account.most == pytest.approx(20.5)
        account.note_refusal(begun_at=time.monotonic())
        assert account.most == pytest.approx(10.25)

    def test_round_of_good_answers_allows_one_more(self) -> None:
        account = Account(most=10.0)
        for _ in range(10):
            account.note_answer()
        assert account.most == pytest.approx(11, abs=0.1)

    def test_it_never_falls_below_one_and_ends_where_nothing_is_limited(self) -> None:
        account = Account(most=1.0, in_flight=0)
        account.note_refusal(begun_at=time.monotonic() + 1)
        assert account.free(is_bulk=True) == 1
        account.most = MOST - 0.001
        account.note_answer()
        assert account.most is None

    def test_a_tenth_is_kept_from_bulk(self) -> None:
        account = Account(most=20.0, in_flight=18)
        assert (account.free(is_bulk=True), account.free(is_bulk=False)) == (0, 2)


def test_bulk_of_many_connections_leaves_a_share_of_the_process() -> None:
    places = Places()
    for number in range(20):
        account = places.account(f"AC{number}")
        places.take(account, min(100, places.free(account, is_bulk=True)), is_bulk=True)
    assert places.in_flight == MOST - FOR_TRANSACTIONAL
    assert places.free(places.account("AC new"), is_bulk=True) == 0
    assert places.free(places.account("AC new"), is_bulk=False) == FOR_TRANSACTIONAL


@pytest.mark.django_db(transaction=True)
def test_concurrency_is_learned_and_everything_arrives_once(
    engine: Engine, queue: Queue, sandbox: SandboxServer
) -> None:
    sandbox.control.set_dials({"latency_ms": 30, "rate_429": 0.3, "retry_after_s": 0})
    messages = [queue() for _ in range(60)]
    engine.wake(messages[0].connection_id, lane=0)
    wait_until(lambda: any(account.most is not None for account in engine._places.accounts.values()), seconds=10)
    sandbox.control.set_dials({"latency_ms": 30})

    def is_done() -> bool:
        Message.objects.filter(status="queued").update(due_at=timezone.now())
        engine.wake(messages[0].connection_id, lane=0)
        return Message.objects.filter(status="accepted").count() == 60

    wait_until(is_done, seconds=30)
    assert sandbox.control.stats()["processed"] == 60
    assert engine._places.in_flight == 0


@pytest.mark.django_db(transaction=True)
def test_two_broadcasts_under_way_do_not_delay_a_login_code(
    engine: Engine, queue: Queue, cast: Cast, sandbox: SandboxServer, sandbox_connection: Connection, settings: object
) -> None:
    settings.SEND_WINDOW = 400  # type: ignore[attr-defined]
    sandbox.control.set_dials({"latency_ms": 1500})
    account = sandbox.new_account()
    second = ConnectionFactory(
        organization=cast.organization, mode="sandbox", account_sid=account.account_sid, is_default=False,
        auth_token=account.auth_token, messaging_service_sid=account.messaging_service_sid,
    )  # fmt: skip
    engine._at_once = 400
    for connection in (sandbox_connection, second):
        for _ in range(300):
            MessageFactory(
                organization=cast.organization, connection=connection, sender=connection.messaging_service_sid, lane=1
            )
        engine.wake(connection.pk, lane=1)
    wait_until(lambda: engine.in_flight >= 100, seconds=10)
    code = queue(purpose="verification")
    began = time.monotonic()
    engine.wake(code.connection_id, lane=0)
    settled(code, "accepted", "sent", "delivered", seconds=10)
    assert time.monotonic() - began < 1.5 + 2, "Twilio's own time, and at most two seconds for bulk to yield"
    assert engine._places.bulk_in_flight <= MOST - FOR_TRANSACTIONAL
    assert threading.active_count() < 50
    wait_until(lambda: not Message.objects.filter(status__in=["queued", "sending"]).exists(), seconds=40)
