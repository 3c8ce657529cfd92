"""One account of the sandbox for each test, spoken to over HTTP."""

import pytest

from integrations.sandbox.credentials import SandboxCredentials
from tests.plugins.sandbox import SandboxApi, SandboxServer


@pytest.fixture
def credentials(sandbox: SandboxServer) -> SandboxCredentials:
    """Return the credentials of a fresh account."""
    return sandbox.new_account()


@pytest.fixture
def api(sandbox: SandboxServer, credentials: SandboxCredentials) -> SandboxApi:
    """Speak with the account's API key."""
    return sandbox.api(credentials)


@pytest.fixture
def owner_api(sandbox: SandboxServer, credentials: SandboxCredentials) -> SandboxApi:
    """Speak with the account's auth token."""
    return sandbox.api(credentials, with_key=False)
