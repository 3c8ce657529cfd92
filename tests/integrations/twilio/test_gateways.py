"""What the gateways send and read, and the traps of the SDK they keep away. Most tests run for both."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from twilio.rest import Client

from integrations.twilio import async_client, client, http
from integrations.twilio.addresses import resolve_address, system_proxy
from integrations.twilio.async_client import AsyncGateway, async_gateway_for
from integrations.twilio.async_http import AsyncioHttpClient, open_session
from integrations.twilio.client import Credentials, Gateway, gateway_for
from integrations.twilio.errors import TwilioMisconfigured, TwilioOutcomeUnknown, TwilioRefused
from tests.integrations.twilio.conftest import PATIENCE, AsyncCaller, SyncCaller, a_message
from tests.integrations.twilio.fake_twilio import (
    ACCOUNT,
    API_KEY,
    MESSAGE,
    RECIPIENT,
    SENDER,
    SERVICE,
    FakeTwilio,
    Received,
    answer,
    hang,
    message_payload,
    problem,
    reset,
)

Caller = SyncCaller | AsyncCaller
ACCEPTED = answer(201, message_payload())
MESSAGES = f"/api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


class TestSending:
    def test_what_is_sent(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(ACCEPTED)
        message = a_message(
            body="Grüße & co + 1", status_callback="https://x.example/s/1?a=b#rc=5", validity_period=600
        )
        caller.send(credentials, message)
        [request] = twilio.received
        assert (request.method, request.target) == ("POST", MESSAGES)
        assert request.sign_in == f"{API_KEY}:secret"
        assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
        assert request.form == {
            "To": [RECIPIENT],
            "Body": ["Grüße & co + 1"],
            "MessagingServiceSid": [SERVICE],
            "StatusCallback": ["https://x.example/s/1?a=b#rc=5"],
            "ValidityPeriod": ["600"],
        }

    def test_what_is_read(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(
            answer(201, message_payload(price="-0.0075", price_unit="usd", num_segments="2", error_code=30003))
        )
        snapshot = caller.send(credentials, a_message())
        assert (snapshot.sid, snapshot.status, snapshot.from_) == (MESSAGE, "accepted", "")
        assert (snapshot.price, snapshot.price_unit) == (Decimal("-0.0075"), "USD")
        assert (snapshot.num_segments, snapshot.error_code) == (2, 30003)
        assert snapshot.date_created == datetime(2023, 8, 24, 5, 1, 45, tzinfo=UTC)
        assert snapshot.date_sent is None
        with pytest.raises(FrozenInstanceError):
            snapshot.status = "sent"  # type: ignore[misc]

    def test_a_status_of_tomorrow_passes(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(answer(201, message_payload(status="teleported", price="n/a", num_segments=None)))
        snapshot = caller.send(credentials, a_message())
        assert (snapshot.status, snapshot.price, snapshot.num_segments) == ("teleported", None, None)

    def test_a_time_in_another_zone_is_sent_as_utc(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(ACCEPTED)
        in_moscow = datetime(2027, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=3)))
        caller.send(credentials, a_message(send_at=in_moscow))
        assert twilio.received[0].form["SendAt"] == ["2026-12-31T21:00:00Z"]
        assert twilio.received[0].form["ScheduleType"] == ["fixed"]

    def test_options(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(ACCEPTED)
        caller.send(
            credentials,
            a_message(messaging_service_sid="", from_=SENDER, smart_encoded=True, max_price=Decimal("0.10")),
        )
        form = twilio.received[0].form
        assert (form["From"], form["SmartEncoded"], form["MaxPrice"]) == ([SENDER], ["true"], ["0.10"])
        assert "MessagingServiceSid" not in form

    @pytest.mark.parametrize("changes", [
        {"to": ""}, {"body": ""}, {"messaging_service_sid": ""},
        {"send_at": datetime(2027, 1, 1)},  # noqa: DTZ001
        {"send_at": datetime(2027, 1, 1, tzinfo=UTC), "messaging_service_sid": "", "from_": SENDER},
    ])  # fmt: skip
    def test_what_could_only_be_refused_is_not_sent(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(TwilioMisconfigured):
            caller.send(credentials, a_message(**changes))
        assert twilio.received == []

    def test_an_api_key_alone_cannot_send(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        with pytest.raises(TwilioMisconfigured):
            caller.send(replace(credentials, account_sid=""), a_message())
        assert twilio.received == []

    def test_account_sid_as_user_name_is_enough(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(ACCEPTED)
        caller.send(Credentials(ACCOUNT, "token", base_url=twilio.url), a_message())
        assert twilio.received[0].path == MESSAGES
        assert twilio.received[0].sign_in == f"{ACCOUNT}:token"

    @pytest.mark.parametrize("sid", ["", "../Calls", "SM1/Media", "SM 1", "SM1?x=1", "SM1#", "SM1\n", "SM٣"])
    def test_a_sid_cannot_change_the_path(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, sid: str
    ) -> None:
        with pytest.raises(TwilioMisconfigured):
            caller.fetch(credentials, sid)
        assert twilio.received == []


class TestListing:
    def test_pages_are_followed_behind_the_base_address(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        first = {"messages": [message_payload()], "next_page_uri": MESSAGES.removeprefix("/api.twilio.com") + "?Page=1"}
        twilio.answers(
            answer(200, first), answer(200, {"messages": [message_payload(sid="SM2")], "next_page_uri": None})
        )
        found = caller.list(credentials, to=RECIPIENT, page_size=1)
        assert [message.sid for message in found] == [MESSAGE, "SM2"]
        assert [request.target for request in twilio.received][1] == MESSAGES + "?Page=1"

    def test_filters(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.answers(answer(200, {"messages": [], "next_page_uri": None}))
        moment = datetime(2026, 11, 21, 2, 30, tzinfo=timezone(timedelta(hours=3)))
        caller.list(credentials, to=RECIPIENT, sent_after=moment, sent_before=moment + timedelta(days=1))
        assert twilio.received[0].query == {
            "To": [RECIPIENT],
            "DateSent>": ["2026-11-20T23:30:00Z"],
            "DateSent<": ["2026-11-21T23:30:00Z"],
            "PageSize": ["100"],
        }

    def test_a_list_without_end_ends_at_the_limit(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        uri = MESSAGES.removeprefix("/api.twilio.com") + "?Page=1"
        twilio.router = lambda request: (200, {"messages": [message_payload()] * 2, "next_page_uri": uri})
        assert len(caller.list(credentials, to=RECIPIENT, page_size=2, limit=5)) == 5
        assert len(twilio.received) == 3


class TestConnections:
    def test_a_connection_is_kept(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.router = lambda request: (201, message_payload())
        for _ in range(3):
            caller.send(credentials, a_message())
        assert {request.connection for request in twilio.received} == {1}

    def test_accounts_share_connections_and_nothing_else(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        twilio.answers(answer(201, message_payload(), Set_Cookie="session=theirs; Path=/"))
        twilio.router = lambda request: (201, message_payload())
        other = Credentials("AC" + "f" * 32, "other", base_url=twilio.url)
        caller.send(credentials, a_message())
        caller.send(other, a_message())
        first, second = twilio.received
        assert first.connection == second.connection
        assert second.sign_in == f"{other.username}:other"
        assert "cookie" not in second.headers

    def test_nothing_is_repeated(self, caller: Caller, twilio: FakeTwilio, credentials: Credentials) -> None:
        twilio.router = lambda request: (503, problem(20503, "m", 503))
        with pytest.raises(TwilioOutcomeUnknown):
            caller.send(credentials, a_message())
        assert len(twilio.received) == 1

    def test_the_process_s_own_twilio_variables_are_ignored(
        self, caller: Caller, twilio: FakeTwilio, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_REGION", "TWILIO_EDGE"):
            monkeypatch.setenv(name, "sydney")
        monkeypatch.setenv("NETRC", "/nonexistent")
        twilio.answers(ACCEPTED)
        caller.send(credentials, a_message())
        assert twilio.received[0].path == MESSAGES
        assert twilio.received[0].sign_in == f"{API_KEY}:secret"

    def test_the_timeout_is_the_setting_s_when_none_is_given(
        self, twilio: FakeTwilio, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "settings", SimpleNamespace(TWILIO_TIMEOUT=PATIENCE))
        twilio.answers(hang, hang)
        with pytest.raises(TwilioOutcomeUnknown):
            Gateway(credentials).send_message(a_message())

        async def send() -> None:
            gateway = AsyncGateway(credentials)
            try:
                await gateway.send_message(a_message())
            finally:
                await gateway.close()

        with pytest.raises(TwilioOutcomeUnknown):
            asyncio.run(send())

    def test_threads_share_a_gateway(self, twilio: FakeTwilio, gateway: Gateway) -> None:
        twilio.router = lambda request: (201, message_payload(body=request.form["Body"][0]))
        with ThreadPoolExecutor(8) as pool:
            bodies = list(pool.map(lambda n: gateway.send_message(a_message(body=f"text {n}")).body, range(80)))
        assert bodies == [f"text {n}" for n in range(80)]

    def test_tasks_share_a_gateway(self, twilio: FakeTwilio, credentials: Credentials) -> None:
        """One task's failure says nothing about another's: some reset, some refused, the rest accepted."""

        def behave(request: Received) -> tuple[int, Any]:
            number = int(request.form["Body"][0])
            return (400, problem(21211, "m", 400)) if number % 3 == 0 else (201, message_payload(body=str(number)))

        async def send_all() -> list[Any]:
            gateway = AsyncGateway(credentials, timeout=5)
            outcomes = await asyncio.gather(
                *(gateway.send_message(a_message(body=str(n))) for n in range(60)), return_exceptions=True
            )
            await gateway.close()
            return outcomes

        twilio.router = behave
        for number, outcome in enumerate(asyncio.run(send_all())):
            if number % 3 == 0:
                assert isinstance(outcome, TwilioRefused)
            else:
                assert outcome.body == str(number)

    def test_unreachable_and_unknown_are_told_apart_in_concurrent_tasks(
        self, twilio: FakeTwilio, credentials: Credentials
    ) -> None:
        async def send_both() -> list[Any]:
            here = AsyncGateway(credentials, timeout=5)
            nowhere = AsyncGateway(replace(credentials, base_url="http://127.0.0.1:1"), timeout=5)
            calls = [gateway.send_message(a_message()) for _ in range(5) for gateway in (here, nowhere)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            await here.close()
            await nowhere.close()
            return outcomes

        twilio.answers(*[reset] * 5)
        outcomes = [type(outcome).__name__ for outcome in asyncio.run(send_both())]
        assert outcomes == ["TwilioOutcomeUnknown", "TwilioUnreachable"] * 5


class TestAddresses:
    @pytest.mark.parametrize(("url", "base_url", "expected"), [
        ("https://api.twilio.com/2010-04-01/A.json?x=1", "", "https://api.twilio.com/2010-04-01/A.json?x=1"),
        ("https://api.twilio.com/a?x=1", "http://127.0.0.1:9009", "http://127.0.0.1:9009/api.twilio.com/a?x=1"),
        ("https://api.twilio.com/a", "http://h/base/", "http://h/base/api.twilio.com/a"),
        ("http://h/base/verify.twilio.com/v2", "http://h/base", "http://h/base/verify.twilio.com/v2"),
        ("https://evil.example/a", "http://h", "http://h/evil.example/a"),
    ])  # fmt: skip
    def test_requests_go_where_they_should(self, url: str, base_url: str, expected: str) -> None:
        assert resolve_address(url, base_url=base_url) == expected

    @pytest.mark.parametrize("url", [
        "https://evil.example/a", "http://api.twilio.com/a", "https://api.twilio.com.evil.example/a",
        "https://eviltwilio.com/a", "https://api.twilio.com@evil.example/a", "https://x@api.twilio.com/a",
    ])  # fmt: skip
    def test_credentials_go_nowhere_else(self, url: str) -> None:
        with pytest.raises(TwilioMisconfigured):
            resolve_address(url, base_url="")

    def test_the_company_s_proxy_is_used_and_local_addresses_pass_it_by(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://proxy:3128")
        monkeypatch.setenv("http_proxy", "http://proxy:3128")
        monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
        assert system_proxy("") == "http://proxy:3128"
        assert system_proxy("http://127.0.0.1:9009") is None


class TestCaches:
    @pytest.fixture(autouse=True)
    def _empty(self) -> Iterator[None]:
        client._gateways.clear()
        yield
        client._gateways.clear()

    def test_one_gateway_for_the_same_credentials(self, credentials: Credentials) -> None:
        assert gateway_for(credentials) is gateway_for(replace(credentials))
        assert gateway_for(credentials) is not gateway_for(replace(credentials, password="rotated"))

    def test_the_least_recently_used_are_forgotten(
        self, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "GATEWAYS", 2)
        first, second, third = (replace(credentials, password=str(n)) for n in range(3))
        kept = gateway_for(first)
        forgotten = gateway_for(second)
        assert gateway_for(first) is kept
        gateway_for(third)
        assert gateway_for(first) is kept
        assert gateway_for(second) is not forgotten

    def test_threads_get_the_same_one(self, credentials: Credentials) -> None:
        barrier = threading.Barrier(8)

        def get(_: int) -> Gateway:
            barrier.wait()
            return gateway_for(credentials)

        with ThreadPoolExecutor(8) as pool:
            assert len(set(map(id, pool.map(get, range(8))))) == 1

    def test_one_async_gateway_per_loop(
        self, twilio: FakeTwilio, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "settings", SimpleNamespace(TWILIO_TIMEOUT=5))
        monkeypatch.setattr(async_client, "GATEWAYS", 2)
        twilio.router = lambda request: (201, message_payload())

        async def use() -> AsyncGateway:
            gateway = async_gateway_for(credentials)
            assert async_gateway_for(credentials) is gateway
            others = [async_gateway_for(replace(credentials, password=str(n))) for n in range(2)]
            assert async_gateway_for(credentials) is not gateway, "two others have pushed it out"
            assert (await gateway.send_message(a_message())).sid == MESSAGE, "forgotten, but not closed"
            current = async_gateway_for(credentials)
            for one in (gateway, *others, current):
                await one.close()
            assert async_gateway_for(credentials) is not current
            await async_gateway_for(credentials).close()
            return gateway

        assert asyncio.run(use()) is not asyncio.run(use())
        assert len({request.connection for request in twilio.received}) == 2

    def test_a_forked_process_opens_its_own_connections(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parent = http._session()
        monkeypatch.setattr(http.os, "getpid", lambda: -1)
        assert http._session() is not parent


class TestJsonEndpoints:
    """Some of Twilio's newer addresses take JSON; the stock async client sends them a form under that name."""

    def test_json_is_sent_as_json(self, twilio: FakeTwilio) -> None:
        async def fetch() -> None:
            async with open_session() as session:
                sdk = Client("AC1", "x", http_client=AsyncioHttpClient(session, base_url=twilio.url, timeout=5))
                await sdk.request_async(
                    "POST", "https://content.twilio.com/v1/Content", data=data, headers=dict(headers)
                )

        data, headers = {"types": {"twilio/text": {"body": "é"}}}, {"Content-Type": "application/json"}
        twilio.router = lambda request: (201, {})
        asyncio.run(fetch())
        sdk = Client("AC1", "x", http_client=http.SyncHttpClient(base_url=twilio.url, timeout=5))
        sdk.request("POST", "https://content.twilio.com/v1/Content", data=data, headers=dict(headers))
        assert [json.loads(request.body) for request in twilio.received] == [data, data]


def test_the_package_needs_no_configured_django() -> None:
    code = (
        "import integrations.twilio.client as c, integrations.twilio.async_client, integrations.twilio.signatures\n"
        "c.gateway_for(c.Credentials('AC1', 'x'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": ""}, timeout=60)
