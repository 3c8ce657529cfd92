"""A connection to the real sandbox, as the tests of sending have it."""

from tests.messaging.sending.conftest import account, sandbox_connection

__all__ = ["account", "sandbox_connection"]
