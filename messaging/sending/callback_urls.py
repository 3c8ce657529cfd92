"""Addresses at which Twilio tells us of a message. They belong to no organization's pages: no script prefix."""

import uuid

from integrations.connections.credentials import hook_signature
from integrations.connections.models import Connection

# Twilio's own default retries failed connections once only; five retries of every failure cost nothing.
# https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
_OVERRIDES = "#rc=5&rp=all"


def status_purpose(message_id: uuid.UUID | str) -> str:
    """Return what our own signature in a status callback's address vouches for."""
    return f"status/{message_id}"


def status_callback(connection: Connection, message_id: uuid.UUID, *, base: str | None, needs_proof: bool) -> str:
    """Return the full StatusCallback of a message, or "" where Twilio could not reach it.

    `needs_proof`: without an Auth Token Twilio's signature cannot be checked; the address then carries an HMAC of ours.
    """
    if base is None:
        return ""
    proof = f"?h={hook_signature(connection, status_purpose(message_id))}" if needs_proof else ""
    return f"{base}/hooks/twilio/{connection.hook_key}/status/{message_id}{proof}{_OVERRIDES}"
