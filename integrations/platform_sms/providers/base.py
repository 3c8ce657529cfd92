"""What a carrier of platform SMS is to the rest of the house, and which kinds there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from integrations.connections.models import Connection
from integrations.twilio.outgoing import Credentials, OutgoingMessage
from integrations.twilio.results import MessageSnapshot


class Gateway(Protocol):
    """Hands messages over. Raises the errors of `integrations.twilio.errors`, which say what surely happened."""

    async def send_message(self, message: OutgoingMessage, *, begin_before: float | None = None) -> MessageSnapshot:
        """Hand a message over, unless `begin_before` (time.monotonic()) has passed."""
        ...


@dataclass(frozen=True)
class Provider:
    """A kind of carrier: which connections are of it, and how its gateway is made on the running event loop.

    `repeats_safely`: the same message twice under one id is sent once, so an answer that was not heard is asked for by
    sending again; where it is false, only Twilio's own list settles it.
    """

    key: str
    title: str
    text: str
    modes: frozenset[str]
    gateway: Callable[[Credentials], Gateway]
    repeats_safely: bool = False

    def carries_with(self, connection: Connection) -> bool:
        """Tell whether a connection is one of this kind."""
        return connection.mode in self.modes


_providers: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Add a kind of carrier."""
    _providers[provider.key] = provider


def providers() -> list[Provider]:
    """Return all kinds, in the order in which they were registered."""
    return list(_providers.values())


def provider_of(connection: Connection) -> Provider:
    """Return the kind that a connection is of."""
    for provider in _providers.values():
        if provider.carries_with(connection):
            return provider
    raise LookupError(f"Nothing carries by connections of mode {connection.mode}.")


def gateway_for(connection: Connection, credentials: Credentials) -> Gateway:
    """Return the gateway of a carrier on the running event loop."""
    return provider_of(connection).gateway(credentials)
