"""What Twilio charged is taken over from its list: late, in bulk, and never by asking for one message."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from integrations.twilio.client import Gateway
from messaging.pricing import search as search_module
from messaging.pricing.models import PriceSearch
from messaging.pricing.search import PASSES, search_prices
from messaging.pricing.tasks import search as search_task
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MessageFactory
from tests.plugins.sandbox import SandboxServer, wait_until

pytestmark = pytest.mark.django_db
TO = "+4915112345678"


@pytest.fixture
def arrived(
    sandbox: SandboxServer, account: SandboxCredentials, sandbox_connection: Connection
) -> Callable[..., list[Message]]:
    """Send messages through the sandbox, and have rows of them as callbacks leave them: delivered, without a price."""
    api = sandbox.api(account)

    def make(count: int = 1, *, age: timedelta = timedelta(minutes=3), text: str = "Hello") -> list[Message]:
        sids = [api.send(to=TO, body=text).json()["sid"] for _ in range(count)]
        wait_until(lambda: all(api.message(sid)["status"] == "delivered" for sid in sids))
        now = timezone.now()
        return [
            MessageFactory(
                organization=sandbox_connection.organization,
                connection=sandbox_connection,
                phone=TO,
                status="delivered",
                provider_sid=sid,
                handed_over_at=now - age,
                finished_at=now,
                segments=1,
            )
            for sid in sids
        ]

    return make


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Count the pages that are read, of ten messages each."""
    seen: list[dict[str, Any]] = []
    read = Gateway.page_of_messages

    def count(self: Gateway, **wanted: Any) -> Any:
        seen.append(wanted)
        return read(self, **wanted, page_size=10)

    monkeypatch.setattr(Gateway, "page_of_messages", count)
    return seen


def run(*, seconds: float = 20) -> int:
    """Search as if the rest of every pass were over."""
    PriceSearch.objects.update(held_until=None)
    return search_prices(until=time.monotonic() + seconds)


def test_price_and_segments_are_taken_over(arrived: Callable[..., list[Message]]) -> None:
    (message,) = arrived(text="x" * 200)
    assert run() == 1
    message.refresh_from_db()
    assert (message.price, message.price_unit, message.segments) == (Decimal("0.2"), "USD", 2)
    assert message.status == "delivered"
    assert run() == 0


def test_many_messages_need_few_pages(arrived: Callable[..., list[Message]], pages: list[dict[str, Any]]) -> None:
    arrived(25)
    assert run() == 25
    assert len(pages) == 3
    assert not Message.objects.filter(price=None).exists()


def test_long_list_is_worked_off_over_several_runs(
    arrived: Callable[..., list[Message]], pages: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived(25)
    clock = iter(range(1000))
    monkeypatch.setattr(search_module.time, "monotonic", lambda: next(clock))
    taken, runs = 0, 0
    while Message.objects.filter(price=None).exists():
        runs += 1
        assert runs < 10
        PriceSearch.objects.update(held_until=None)
        taken += search_prices(until=next(clock) + 3)  # one page: each look at the clock is a second
    assert (taken, runs, len(pages)) == (25, 3, 3)


def test_young_messages_wait_and_late_prices_are_found_by_a_later_pass(
    sandbox: SandboxServer, arrived: Callable[..., list[Message]]
) -> None:
    (message,) = arrived(age=timedelta(minutes=1))
    assert run() == 0
    assert not PriceSearch.objects.exists()
    # Twilio's list does not show the message in the first pass; in the second it does.
    sandbox.control.change_dials({"list_lag_ms": 60_000})
    Message.objects.update(handed_over_at=timezone.now() - PASSES[0].age - timedelta(seconds=5))
    assert run() == 0
    assert PriceSearch.objects.get().through == Message.objects.get().handed_over_at
    sandbox.control.change_dials({"list_lag_ms": 0})
    assert run() == 0
    Message.objects.update(handed_over_at=timezone.now() - PASSES[1].age - timedelta(seconds=5))
    assert run() == 1
    message.refresh_from_db()
    assert message.price is not None


def test_after_the_last_pass_nobody_asks(arrived: Callable[..., list[Message]], pages: list[dict[str, Any]]) -> None:
    arrived(age=PASSES[-1].age + timedelta(days=2))
    assert run() == 0
    assert not pages


def test_rest_between_runs(arrived: Callable[..., list[Message]], pages: list[dict[str, Any]]) -> None:
    arrived()
    assert run() == 1
    arrived()
    search_task()
    assert len(pages) == 1
    assert run() == 1


def test_refusal_pauses_longer_and_longer_and_loses_nothing(
    sandbox: SandboxServer, arrived: Callable[..., list[Message]]
) -> None:
    arrived()
    sandbox.control.change_dials({"rate_5xx": 1.0, "faults_on": "all"})
    assert run() == 0
    first = PriceSearch.objects.get()
    assert first.failures == 1
    assert first.held_until is not None
    assert run() == 0
    second = PriceSearch.objects.get()
    assert second.held_until is not None
    assert second.held_until - timezone.now() > first.held_until - timezone.now() + timedelta(seconds=50)
    sandbox.control.change_dials({"rate_5xx": 0.0, "faults_on": "sending"})
    assert search_prices(until=time.monotonic() + 5) == 0  # it rests
    assert run() == 1
    assert PriceSearch.objects.get().failures == 0


def test_wrong_credentials_break_the_connection(
    sandbox: SandboxServer, arrived: Callable[..., list[Message]], sandbox_connection: Connection
) -> None:
    arrived()
    sandbox.control.change_account(sandbox_connection.account_sid, is_token_revoked=True)
    assert run() == 0
    sandbox_connection.refresh_from_db()
    assert (sandbox_connection.status, sandbox_connection.broken_code) == ("broken", 20003)
    assert run() == 0


def test_nothing_is_asked_for_failed_messages_test_credentials_and_suspended_organizations(
    cast: Cast, sandbox_connection: Connection, pages: list[dict[str, Any]]
) -> None:
    at = timezone.now() - timedelta(minutes=3)
    test = ConnectionFactory(organization=cast.organization, mode="test", is_default=False)
    suspended = ConnectionFactory(organization=cast.other, mode="sandbox")
    cast.other.status = "suspended"
    cast.other.save()
    for number, (connection, status) in enumerate(
        ((sandbox_connection, "failed"), (sandbox_connection, "sent"), (test, "delivered"), (suspended, "delivered"))
    ):
        MessageFactory(
            organization=connection.organization,
            connection=connection,
            status=status,
            provider_sid=f"SM{number:032x}",
            handed_over_at=at,
        )
    assert run() == 0
    assert not pages


def test_price_of_another_connections_message_is_not_touched(
    cast: Cast, arrived: Callable[..., list[Message]], sandbox_connection: Connection
) -> None:
    mine, theirs = arrived(2)
    other = ConnectionFactory(organization=cast.other, mode="sandbox")
    Message.objects.filter(pk=theirs.pk).update(organization=cast.other, connection=other, status="failed")
    assert run() == 1
    theirs.refresh_from_db()
    assert theirs.price is None
