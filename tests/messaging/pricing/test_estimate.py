"""Estimates of the price: from Twilio's list, kept for a day, and no page ever hangs for them."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from messaging.pricing.estimate import PriceRange, price_range, price_ranges
from messaging.pricing.models import CountryPrice
from messaging.pricing.senders import plain_type, sender_type
from messaging.pricing.tasks import refresh as refresh_task
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.plugins.sandbox import SandboxServer, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was left to a worker: the countries of each task."""
    tasks: list[list[str]] = []
    monkeypatch.setattr("config.calling.app.send_task", lambda name, args, **_: tasks.append(args[1]))
    return tasks


def test_what_is_charged_later_lies_within_the_range(
    sandbox: SandboxServer, account: SandboxCredentials, sandbox_connection: Connection
) -> None:
    api = sandbox.api(account)
    for region, phone in (("DE", "+4915112345678"), ("GB", "+447911123456"), ("CH", "+41781234567")):
        estimate = price_range(sandbox_connection, region)
        assert estimate is not None
        assert estimate.low < estimate.high
        sid = api.send(to=phone, body="x" * 200).json()["sid"]  # two segments
        wait_until(lambda sid=sid: api.message(sid)["price"] is not None)
        real = abs(Decimal(str(api.message(sid)["price"])))
        two = estimate.times(2)
        assert two.low <= real <= two.high
        assert (two.unit, api.message(sid)["price_unit"]) == ("USD", "USD")


def test_second_look_asks_nobody(sandbox_connection: Connection) -> None:
    first = price_range(sandbox_connection, "DE")
    CountryPrice.objects.update(by_type={"local": ["7", "9"]})
    second = price_range(sandbox_connection, "DE")
    assert first is not None
    assert second is not None
    assert (second.low, second.high, second.fetched_at) == (7, 9, first.fetched_at)


def test_sender_of_known_type_narrows_the_range(sandbox_connection: Connection) -> None:
    CountryPrice.objects.create(
        connection=sandbox_connection,
        region="US",
        by_type={"local": ["0.008", "0.009"], "tollfree": ["0.007", "0.0085"], "shortcode": ["0.01", "0.02"]},
        unit="USD",
        fetched_at=timezone.now(),
    )

    def prices(sender: str) -> tuple[str, str]:
        found = price_range(sandbox_connection, "US", sender=sender)
        assert found is not None
        return str(found.low), str(found.high)

    assert prices("+12025550123") == ("0.008", "0.009")
    assert prices("+18005550123") == ("0.007", "0.0085")
    assert prices("54321") == ("0.01", "0.02")
    assert prices("MG" + "a" * 32) == ("0.007", "0.02")  # the service chooses when it sends
    assert prices("Acme") == ("0.007", "0.02")  # no price of its own: any of them


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("", ""),
        ("MG" + "0" * 32, ""),
        ("+4915112345678", "mobile"),
        ("+493012345678", "local"),
        ("Acme 1", "alphanumeric"),
        ("12345", "shortcode"),
        ("+18005550123", "tollfree"),
        ("+1", ""),
    ],
)
def test_type_of_sender(sender: str, kind: str) -> None:
    assert sender_type(sender) == kind


@pytest.mark.parametrize("written", ["toll free", "toll-free", "TollFree", "toll_free"])
def test_every_writing_of_a_type_is_one(written: str) -> None:
    assert plain_type(written) == "tollfree"


def test_many_countries_come_at_once_and_then_by_one_query(sandbox_connection: Connection) -> None:
    regions = ["DE", "FR", "GB", "US", "CH", "AT", "PL", "IT", "ES", "not one", "", "001"]
    found = price_ranges(sandbox_connection, regions)
    assert set(found) == set(regions[:9])
    with CaptureQueriesContext(database) as queries:
        assert set(price_ranges(sandbox_connection, regions)) == set(found)
    assert len(queries) == 1


def test_hanging_twilio_costs_one_page_two_seconds_and_the_next_ones_nothing(
    sandbox: SandboxServer, sandbox_connection: Connection, asked: list[list[str]]
) -> None:
    sandbox.control.change_dials({"latency_ms": 5000})
    began = time.monotonic()
    assert price_ranges(sandbox_connection, [f"{a}{b}" for a in "ABCDEFGH" for b in "ABCDEFGH"]) == {}
    assert time.monotonic() - began < 3
    began = time.monotonic()
    assert price_range(sandbox_connection, "DE") is None
    assert price_range(sandbox_connection, "FR") is None
    assert time.monotonic() - began < 0.5
    assert asked  # a worker tries on


def test_failure_is_forgotten_after_a_minute(sandbox: SandboxServer, sandbox_connection: Connection) -> None:
    sandbox.control.change_dials({"rate_5xx": 1.0, "faults_on": "all"})
    assert price_range(sandbox_connection, "DE") is None
    sandbox.control.change_dials({"rate_5xx": 0.0, "faults_on": "sending"})
    assert price_range(sandbox_connection, "DE") is None
    CountryPrice.objects.update(failed_at=timezone.now() - timedelta(seconds=61))
    assert price_range(sandbox_connection, "DE") is not None
    assert CountryPrice.objects.get().failed_at is None


def test_old_prices_serve_with_their_age_while_a_worker_asks_anew(
    sandbox_connection: Connection, asked: list[list[str]]
) -> None:
    price_range(sandbox_connection, "DE")
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    CountryPrice.objects.update(fetched_at=yesterday, by_type={"local": ["7", "9"]})
    for _ in range(3):
        old = price_range(sandbox_connection, "DE")
        assert old is not None
        assert (old.low, old.is_old, old.fetched_at) == (7, True, yesterday)
    assert asked == [["DE"]]
    refresh_task(str(sandbox_connection.pk), asked[0])
    fresh = price_range(sandbox_connection, "DE")
    assert fresh is not None
    assert not fresh.is_old
    assert fresh.low < 1


def test_worker_gives_up_at_the_first_failure_and_keeps_what_was_known(
    sandbox: SandboxServer, sandbox_connection: Connection
) -> None:
    before = price_range(sandbox_connection, "DE")
    sandbox.control.change_dials({"rate_5xx": 1.0, "faults_on": "all"})
    refresh_task(str(sandbox_connection.pk), ["DE", "FR", "GB"])
    assert set(CountryPrice.objects.values_list("region", flat=True)) == {"DE"}
    assert price_range(sandbox_connection, "DE") == before


def test_country_that_twilio_does_not_know_is_asked_for_once(sandbox_connection: Connection) -> None:
    assert price_range(sandbox_connection, "ZZ") is None
    assert price_range(sandbox_connection, "DE") is not None  # it was no failure
    kept = CountryPrice.objects.get(region="ZZ")
    assert kept.fetched_at is not None
    assert price_range(sandbox_connection, "ZZ") is None
    assert CountryPrice.objects.get(region="ZZ").fetched_at == kept.fetched_at


def test_test_credentials_and_broken_connections_ask_nothing(
    cast: Cast, sandbox_connection: Connection, asked: list[list[str]]
) -> None:
    test = ConnectionFactory(organization=cast.organization, mode="test", is_default=False)
    assert price_range(test, "DE") is None
    sandbox_connection.status = "broken"
    assert price_range(sandbox_connection, "DE") is None
    assert not CountryPrice.objects.exists()
    assert not asked


def test_stranger_has_prices_of_their_own(cast: Cast, sandbox: SandboxServer, sandbox_connection: Connection) -> None:
    price_range(sandbox_connection, "DE")
    CountryPrice.objects.update(by_type={"local": ["7", "9"]})
    theirs = sandbox.new_account()
    other = ConnectionFactory(
        organization=cast.other, mode="sandbox", account_sid=theirs.account_sid, auth_token=theirs.auth_token
    )
    found = price_range(other, "DE")
    assert found is not None
    assert found.high < 1


def test_amounts_are_written_for_people() -> None:
    def words(low: str, high: str) -> str:
        return str(PriceRange(Decimal(low), Decimal(high), "USD", timezone.now()))

    assert words("0.0920", "0.115") == "0.092 – 0.115 USD"
    assert words("0.1", "0.1") == "0.10 USD"
    assert words("1234.5", "20000") == "1,234.50 – 20,000.00 USD"


def test_send_page_shows_what_the_message_will_cost(cast: Cast, sandbox_connection: Connection) -> None:
    CountryPrice.objects.create(
        connection=sandbox_connection,
        region="DE",
        by_type={"local": ["0.09", "0.11"]},
        unit="EUR",
        fetched_at=timezone.now(),
    )
    client, address = cast.client("agent"), cast.url("messages/send/preview/")
    page = client.post(address, {"to": "+4915112345678", "body": "x" * 200}).content.decode()
    assert "0.18 – 0.22 EUR" in page
    assert "as of" not in page
    CountryPrice.objects.update(fetched_at=timezone.now() - timedelta(days=3), asked_at=timezone.now())
    page = client.post(address, {"to": "+4915112345678", "body": "Hello"}).content.decode()
    assert "0.09 – 0.11 EUR" in page
    assert "as of" in page


def test_send_page_does_without_a_price(cast: Cast, sandbox: SandboxServer, sandbox_connection: Connection) -> None:
    sandbox.control.change_dials({"rate_5xx": 1.0, "faults_on": "all"})
    answer = cast.client("agent").post(cast.url("messages/send/preview/"), {"to": "+4915112345678", "body": "Hello"})
    assert answer.status_code == 200
    assert "1</strong> segment" in answer.content.decode()
    assert "prices" not in answer.content.decode()
