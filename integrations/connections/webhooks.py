"""The addresses that an admin enters at Twilio. They belong to no organization's pages: no script prefix."""

from django.conf import settings

from .credentials import hook_signature, live_tokens
from .models import Connection

INBOUND = "inbound"  # what our own signature in the address for incoming messages vouches for


def inbound_url(connection: Connection) -> str:
    """Return the address for incoming messages, with a signature of ours where Twilio's cannot be checked."""
    path = f"/hooks/twilio/{connection.hook_key}/inbound"
    return f"{settings.PUBLIC_BASE_URL}{path}{_proof(connection, INBOUND)}"


def status_url_pattern(connection: Connection) -> str:
    """Return the address of status callbacks as people read it; each message has one of its own."""
    return f"{settings.PUBLIC_BASE_URL}/hooks/twilio/{connection.hook_key}/status/…"


def _proof(connection: Connection, purpose: str) -> str:
    return "" if live_tokens(connection) else f"?h={hook_signature(connection, purpose)}"
