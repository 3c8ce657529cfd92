"""What every message of a connection needs in order to leave: read once for many."""

import uuid
from dataclasses import dataclass

import structlog

from integrations.connections.credentials import ConnectionUnusable, callback_base, credentials_of, live_tokens
from integrations.connections.models import Connection
from integrations.platform_sms.models import PLATFORM_SENDER
from integrations.platform_sms.providers import Gateway, gateway_for
from integrations.twilio.client import Credentials, OutgoingMessage

from .callback_urls import status_callback
from .claim import Claimed

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Dispatch:
    """What every message of a connection needs in order to leave."""

    connection: Connection
    credentials: Credentials
    callback_base: str | None
    needs_proof: bool

    def gateway(self) -> Gateway:
        """Return what hands its messages over, on the running event loop."""
        return gateway_for(self.connection, self.credentials)

    def message_for(self, claimed: Claimed) -> OutgoingMessage:
        sender = self.connection.sends_as if claimed.sender == PLATFORM_SENDER else claimed.sender
        is_service = sender.startswith("MG")
        is_test = self.connection.mode == Connection.Mode.TEST
        return OutgoingMessage(
            to=claimed.phone,
            body=claimed.body,
            messaging_service_sid=sender if is_service else "",
            from_="" if is_service else sender,
            status_callback=status_callback(
                self.connection, claimed.id, base=self.callback_base, needs_proof=self.needs_proof
            ),
            reference=str(claimed.id),
            validity_period=None if is_test else min(36_000, max(1, int(claimed.seconds_left))),
        )


def load_dispatch(connection_id: uuid.UUID) -> Dispatch | None:
    """Read a connection that may send now; None where it is broken, disconnected, unreadable or suspended."""
    row = (
        Connection.objects.select_related("organization")
        .filter(pk=connection_id, status=Connection.Status.ACTIVE, organization__status="active")
        .first()
    )
    if row is None:
        return None
    try:
        return Dispatch(
            connection=row,
            credentials=credentials_of(row),
            callback_base=callback_base(row),
            needs_proof=not live_tokens(row),
        )
    except ConnectionUnusable as error:
        log.error("connection_unusable", connection_id=str(connection_id), code=error.code)
        return None
