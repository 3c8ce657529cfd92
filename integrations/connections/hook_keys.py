"""Connections by the key in their webhook addresses.

A process remembers the rows it has met, because webhooks come by the thousand. What is remembered may be out of date:
it is good for nothing but a statement that carries `UNCHANGED`, and so takes effect only while the row still says the
same of who may sign.
"""

from typing import Any

from integrations.quick_rows import first_statement

from .models import Connection

_MOST = 1000
_SECRETS = ("auth_token", "signing_token", "signing_token_secondary", "hook_secret")
_NEEDED = ("id", "hook_key", "organization_id", "name", "auth", "status", "account_sid", *_SECRETS)
# The condition on `c`, the row of integrations_connection; `unchanged_values` goes with it.
UNCHANGED = " AND ".join(f"c.{name} = %s" for name in ("id", "auth", "status", "account_sid", *_SECRETS))

_met: dict[str, Connection] = {}


def find_by_hook_key(hook_key: str) -> Connection | None:
    """Return the connection that a webhook address names, or None; what webhooks do not need is not fetched."""
    if "\x00" in hook_key:  # PostgreSQL refuses to look for it
        return None
    found = first_statement(Connection.objects.only(*_NEEDED).filter(hook_key=hook_key).first)
    if found is not None:
        if len(_met) >= _MOST:
            _met.clear()
        _met[hook_key] = found
    return found


def recall(hook_key: str) -> Connection | None:
    """Return the connection as this process last saw it, or None; see above for what it may be used for."""
    return _met.get(hook_key)


def unchanged_values(connection: Connection) -> list[Any]:
    """Return the values of `UNCHANGED`."""
    secrets = [getattr(connection, name).token for name in _SECRETS]
    return [connection.pk, connection.auth, connection.status, connection.account_sid, *secrets]
