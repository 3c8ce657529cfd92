"""Fixtures: a fake Twilio, and both gateways behind one face, for most rules hold for the two alike."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.twilio.async_client import AsyncGateway
from integrations.twilio.client import Credentials, Gateway
from integrations.twilio.outgoing import OutgoingMessage
from integrations.twilio.results import MessageSnapshot
from tests.integrations.twilio.fake_twilio import ACCOUNT, API_KEY, RECIPIENT, SERVICE, FakeTwilio

PATIENCE = 0.4  # seconds a call may take in tests of silence


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    server = FakeTwilio()
    yield server
    server.stop()


@pytest.fixture
def credentials(twilio: FakeTwilio) -> Credentials:
    return Credentials(username=API_KEY, password="secret", account_sid=ACCOUNT, base_url=twilio.url)


@pytest.fixture
def gateway(credentials: Credentials) -> Gateway:
    return Gateway(credentials, timeout=5)


def a_message(**changes: Any) -> OutgoingMessage:
    """Return a message of which only the named fields matter to the test."""
    return OutgoingMessage(**{"to": RECIPIENT, "body": "Hello", "messaging_service_sid": SERVICE, **changes})


class SyncCaller:
    def __init__(self) -> None:
        self._gateways: dict[tuple[Credentials, float], Gateway] = {}

    def _gateway(self, credentials: Credentials, timeout: float) -> Gateway:
        return self._gateways.setdefault((credentials, timeout), Gateway(credentials, timeout=timeout))

    def send(self, credentials: Credentials, message: OutgoingMessage, *, timeout: float = 5) -> MessageSnapshot:
        return self._gateway(credentials, timeout).send_message(message)

    def fetch(self, credentials: Credentials, sid: str, *, timeout: float = 5) -> MessageSnapshot:
        return self._gateway(credentials, timeout).fetch_message(sid)

    def list(self, credentials: Credentials, **filters: Any) -> list[MessageSnapshot]:
        return self._gateway(credentials, 5).list_messages(**filters)

    def close(self) -> None:
        self._gateways.clear()


class AsyncCaller:
    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._gateways: dict[tuple[Credentials, float], AsyncGateway] = {}

    def _run(self, credentials: Credentials, timeout: float, call: Callable[[AsyncGateway], Any]) -> Any:
        async def run() -> Any:
            key = (credentials, timeout)
            if key not in self._gateways:
                self._gateways[key] = AsyncGateway(credentials, timeout=timeout)
            return await call(self._gateways[key])

        return self._runner.run(run())

    def send(self, credentials: Credentials, message: OutgoingMessage, *, timeout: float = 5) -> MessageSnapshot:
        return self._run(credentials, timeout, lambda gateway: gateway.send_message(message))

    def fetch(self, credentials: Credentials, sid: str, *, timeout: float = 5) -> MessageSnapshot:
        return self._run(credentials, timeout, lambda gateway: gateway.fetch_message(sid))

    def list(self, credentials: Credentials, **filters: Any) -> list[MessageSnapshot]:
        return self._run(credentials, 5, lambda gateway: gateway.list_messages(**filters))

    def close(self) -> None:
        async def close_all() -> None:
            for gateway in self._gateways.values():
                await gateway.close()

        self._runner.run(close_all())
        self._runner.close()


@pytest.fixture(params=[SyncCaller, AsyncCaller], ids=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Iterator[SyncCaller | AsyncCaller]:
    one = request.param()
    yield one
    one.close()
