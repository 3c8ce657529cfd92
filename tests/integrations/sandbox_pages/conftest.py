"""A sandbox connection of the cast's organization, and one of another organization."""

from collections.abc import Callable

import pytest

from integrations.connections.models import Connection
from integrations.connections.sandbox import connect_sandbox
from integrations.sandbox.credentials import derive_credentials
from integrations.sandbox.phone_tokens import seal_number
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer, wait_until

PHONE = "+4915112345678"


@pytest.fixture
def ours(cast: Cast, sandbox: SandboxServer) -> Connection:
    return connect_sandbox(cast.organization, actor=cast.owner, with_check=False)


@pytest.fixture
def theirs(cast: Cast, sandbox: SandboxServer) -> Connection:
    return connect_sandbox(cast.other, actor=cast.stranger, with_check=False)


@pytest.fixture
def arrive(sandbox: SandboxServer) -> Callable[..., None]:
    """Let a text arrive on a phone of a connection's account."""

    def send(connection: Connection, *, body: str = "Your parcel is here.", to: str = PHONE) -> None:
        credentials = derive_credentials(sandbox.secret, connection.account_sid)
        assert sandbox.api(credentials).send(to=to, body=body).status_code == 201
        wait_until(lambda: sandbox.control.phone(connection.account_sid, to)["messages"][-1]["arrived"])

    return send


def phone_path(connection: Connection, number: str = PHONE, end: str = "") -> str:
    """Return the path of a phone's page below the organization."""
    return f"sandbox/{connection.pk}/phones/{seal_number(number, connection_id=connection.pk)}/{end}"
