"""A sandbox connection, an engine of the test's own, and rows in its outbox."""

from collections.abc import Callable, Iterator

import pytest

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from messaging.sending import engine as engine_module
from messaging.sending.engine import Engine
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MessageFactory
from tests.integrations.platform_sms.conftest import receiver
from tests.plugins.sandbox import SandboxServer, wait_until

__all__ = ["receiver"]


@pytest.fixture
def account(sandbox: SandboxServer) -> SandboxCredentials:
    return sandbox.new_account()


@pytest.fixture
def sandbox_connection(cast: Cast, account: SandboxCredentials) -> Connection:
    return ConnectionFactory(
        organization=cast.organization,
        mode="sandbox",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
    )


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Engine]:
    """Give the test an engine whose threads end with it."""
    engine_module._engine = running = Engine()
    yield running
    assert running.stop(timeout=30)
    engine_module._engine = None


@pytest.fixture
def queue(cast: Cast, sandbox_connection: Connection) -> Callable[..., Message]:
    """Queue a message as the outbox would, without its checks."""

    def make(**fields: object) -> Message:
        return MessageFactory(
            organization=cast.organization,
            connection=sandbox_connection,
            sender=sandbox_connection.messaging_service_sid,
            **fields,
        )

    return make


def settled(message: Message, *statuses: str, seconds: float = 10.0) -> Message:
    """Wait until the message is in one of the states, and return it fresh."""

    def is_there() -> bool:
        message.refresh_from_db()
        return message.status in statuses

    wait_until(is_there, seconds=seconds)
    return message
