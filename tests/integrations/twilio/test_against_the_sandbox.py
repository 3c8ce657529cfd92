"""The gateways and the simulated Twilio understand each other: the same calls that a live connection makes."""

import asyncio
from dataclasses import replace

import pytest

from integrations.sandbox.credentials import SandboxCredentials, derive_test_credentials
from integrations.twilio.async_client import AsyncGateway
from integrations.twilio.client import Credentials, Gateway, OutgoingMessage
from integrations.twilio.errors import TwilioRefused
from tests.integrations.twilio.fake_twilio import RECIPIENT
from tests.plugins.sandbox import SandboxServer


@pytest.fixture
def account(sandbox: SandboxServer) -> SandboxCredentials:
    return sandbox.new_account()


@pytest.fixture
def key(sandbox: SandboxServer, account: SandboxCredentials) -> Credentials:
    return Credentials(account.api_key_sid, account.api_key_secret, account.account_sid, sandbox.url)


@pytest.fixture
def owner(sandbox: SandboxServer, account: SandboxCredentials) -> Credentials:
    return Credentials(account.account_sid, account.auth_token, base_url=sandbox.url)


def test_the_four_fields_tell_the_account(key: Credentials, account: SandboxCredentials) -> None:
    gateway = Gateway(replace(key, account_sid=""), timeout=5)
    assert gateway.fetch_messaging_service(account.messaging_service_sid).account_sid == account.account_sid
    assert gateway.fetch_verify_service(account.verify_service_sid).account_sid == account.account_sid
    assert [sender.value for sender in gateway.list_senders(account.messaging_service_sid)] == [account.phone_number]


def test_the_owner_sees_account_balance_and_number(owner: Credentials, account: SandboxCredentials) -> None:
    gateway = Gateway(owner, timeout=5)
    assert gateway.fetch_account().status == "active"
    assert gateway.fetch_balance() is not None
    number = gateway.find_number(account.phone_number)
    assert number is not None
    assert "sms" in number.capabilities


def test_prices_of_a_country_are_read_with_their_types(key: Credentials) -> None:
    gateway = Gateway(key, timeout=5)
    prices = gateway.fetch_country_prices("DE")
    assert (prices.region, prices.unit) == ("DE", "USD")
    assert len({line.carrier for line in prices.lines}) == 3
    assert {"local", "mobile", "shortcode"} <= {line.number_type for line in prices.lines}
    assert all(line.price > 0 for line in prices.lines)
    with pytest.raises(TwilioRefused) as caught:
        gateway.fetch_country_prices("ZZ")
    assert caught.value.http_status == 404


def test_a_wrong_secret_is_refused_as_such(key: Credentials, account: SandboxCredentials) -> None:
    with pytest.raises(TwilioRefused) as caught:
        Gateway(replace(key, password="wrong"), timeout=5).fetch_messaging_service(account.messaging_service_sid)
    assert (caught.value.code, caught.value.http_status) == (20003, 401)


def test_test_credentials_are_recognised(sandbox: SandboxServer, account: SandboxCredentials) -> None:
    test = derive_test_credentials(sandbox.secret, account.account_sid)
    assert Gateway(
        Credentials(test.account_sid, test.auth_token, base_url=sandbox.url), timeout=5
    ).probe_test_credentials()


def test_messages_are_sent_found_and_read(key: Credentials, account: SandboxCredentials) -> None:
    gateway = Gateway(key, timeout=5)
    outgoing = OutgoingMessage(to=RECIPIENT, body="Grüße ☀", messaging_service_sid=account.messaging_service_sid)
    sent = gateway.send_message(outgoing)
    assert sent.status == "accepted"
    assert gateway.fetch_message(sent.sid).body == "Grüße ☀"

    async def send_ten() -> list[str]:
        fast = AsyncGateway(key, timeout=5)
        snapshots = await asyncio.gather(*(fast.send_message(outgoing) for _ in range(10)))
        assert {one.sid for one in await fast.list_messages(to=RECIPIENT, page_size=3)} >= {
            one.sid for one in snapshots
        }
        await fast.close()
        return [one.sid for one in snapshots]

    others = asyncio.run(send_ten())
    listed = gateway.list_messages(to=RECIPIENT, page_size=4)
    assert {one.sid for one in listed} == {sent.sid, *others}
