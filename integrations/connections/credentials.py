"""What a connection holds, opened for those who talk to Twilio or listen to it."""

import hashlib
import hmac

from django.conf import settings

from integrations.encryption import Secret, SecretUnreadable
from integrations.twilio.client import Credentials

from .models import Connection
from .reachability import judge_address

# Codes of ConnectionUnusable. The API answers the first as `not_connected`, the others as `connection_broken`.
NOT_CONNECTED = "not_connected"
BROKEN = "connection_broken"
SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the name of a reason


class ConnectionUnusable(Exception):
    """Nothing can be sent through this connection; `code` is one of the constants above, `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def credentials_of(connection: Connection) -> Credentials:
    """Return what the Gateway needs for this connection.

    Raises ConnectionUnusable where the secret is gone or cannot be decrypted: the organization's own sends stop,
    and no other account is ever used in its place.
    """
    if connection.is_webhook:
        return Credentials(
            username="", password=_reveal(connection, connection.auth_token), base_url=connection.webhook_url
        )
    is_key = connection.auth == Connection.Auth.API_KEY
    return Credentials(
        username=connection.api_key_sid if is_key else connection.account_sid,
        password=_reveal(connection, connection.api_key_secret if is_key else connection.auth_token),
        account_sid=connection.account_sid,
        base_url=base_url_of(connection.mode),
    )


def base_url_of(mode: str) -> str:
    """Return where requests of a connection of this mode go; the empty text stands for Twilio's own hosts."""
    return settings.SANDBOX_URL if mode == Connection.Mode.SANDBOX else settings.TWILIO_BASE_URL


def live_tokens(connection: Connection) -> list[str]:
    """Return every Auth Token with which Twilio may sign webhooks of this connection; empty where none was given.

    Raises ConnectionUnusable where one of them cannot be decrypted.
    """
    secrets = [connection.signing_token, connection.signing_token_secondary]
    if connection.auth == Connection.Auth.AUTH_TOKEN:
        secrets.insert(0, connection.auth_token)
    revealed = [_reveal(connection, secret) for secret in secrets if secret]
    return list(dict.fromkeys(revealed))


def callback_base(connection: Connection) -> str | None:
    """Return the address that callback URLs begin with, or None where a message goes out without a StatusCallback.

    None with test credentials, for which Twilio calls nothing back, with a webhook, whose answer is the whole outcome,
    and where Twilio could not reach us: it answers
    21609 and refuses the message. The sandbox and a look-alike are on our side of the network and reach us anyway.
    """
    if connection.mode == Connection.Mode.TEST or connection.is_webhook:
        return None
    if connection.is_sandbox or settings.TWILIO_BASE_URL:
        return settings.PUBLIC_BASE_URL
    return settings.PUBLIC_BASE_URL if judge_address(settings.PUBLIC_BASE_URL).is_accepted else None


def hook_signature(connection: Connection, purpose: str) -> str:
    """Return the hex HMAC-SHA256 of a purpose, the path of a webhook address, under the connection's own key.

    It travels as `?h=` in callback URLs of connections that have no live token: without Twilio's Auth Token its
    signature cannot be checked, and this at least proves that the address came from us.
    """
    key = _reveal(connection, connection.hook_secret)
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def verify_hook_signature(connection: Connection, purpose: str, given: str | None) -> bool:
    """Tell in constant time whether `given` is the signature of that purpose; False for anything that is none.

    Raises ConnectionUnusable where our own key cannot be decrypted. A disconnected connection has none and
    believes nobody.
    """
    if not given or not connection.hook_secret:
        return False
    return hmac.compare_digest(hook_signature(connection, purpose).encode(), given.encode())


def _reveal(connection: Connection, secret: Secret) -> str:
    if not secret:
        raise ConnectionUnusable(NOT_CONNECTED, f"“{connection.name}” is disconnected: its secrets were removed.")
    try:
        return secret.reveal()
    except SecretUnreadable as error:
        raise ConnectionUnusable(
            SECRET_UNREADABLE,
            f"The stored secret of “{connection.name}” cannot be decrypted with the installation's present keys. "
            "Ask the operator to restore the key, or enter the secret anew under Rotate.",
        ) from error
