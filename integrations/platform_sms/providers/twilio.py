"""A Twilio account of the operator carries: a connection of one of the operator's organizations."""

from integrations.connections.models import Connection
from integrations.twilio.async_client import async_gateway_for

from .base import Provider

TWILIO = Provider(
    key="twilio",
    title="Twilio",
    text="A live Twilio connection of one of your organizations, with its Messaging Service or From number.",
    # Test credentials send nothing: they are no carrier to choose, but their messages leave by the same gateway.
    modes=frozenset({Connection.Mode.LIVE, Connection.Mode.TEST}),
    gateway=async_gateway_for,
)
