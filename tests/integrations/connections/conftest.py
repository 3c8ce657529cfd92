"""Fixtures of the room: a Twilio whose answers a test chooses."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from tests.factories import ConnectionFactory

from .fake_twilio import FakeTwilio


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> FakeTwilio:
    fake = FakeTwilio()
    monkeypatch.setattr("integrations.connections.check.gateway_for", fake.gateway_for)
    monkeypatch.setattr("integrations.connections.check.run.gateway_for", fake.gateway_for)
    return fake


def saved_connection(**values: Any) -> Connection:
    """Return a connection as the database gives it back, its secrets encrypted."""
    return Connection.objects.select_related("organization").get(pk=ConnectionFactory(**values).pk)
