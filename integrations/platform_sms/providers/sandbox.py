"""The sandbox carries: texts arrive on its virtual phones, and nobody's phone rings."""

from integrations.connections.models import Connection
from integrations.twilio.async_client import async_gateway_for

from .base import Provider

SANDBOX = Provider(
    key="sandbox",
    title="Sandbox",
    text="A sandbox connection of one of your organizations: for trials and demonstrations.",
    modes=frozenset({Connection.Mode.SANDBOX}),
    gateway=async_gateway_for,
)
