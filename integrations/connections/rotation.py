"""Rotate: new secrets take the place of the old ones, once Twilio has accepted them."""

import copy
from dataclasses import dataclass

from django.db import transaction

from integrations.encryption import Secret, SecretUnreadable
from integrations.organizations import audit
from integrations.organizations.models import User

from . import registry
from .check import Level, Step, run_check
from .connecting import adopt
from .models import Connection


class ConnectionChanged(Exception):
    """Somebody else changed or disconnected the connection meanwhile."""


@dataclass(frozen=True)
class NewSecrets:
    """What is to be replaced; an empty text leaves the old value, except where a `drop_` says to remove it."""

    api_key_sid: str = ""
    api_key_secret: str = ""
    auth_token: str = ""
    signing_token: str = ""
    signing_token_secondary: str = ""
    drop_signing_token: bool = False
    drop_signing_token_secondary: bool = False
    keep_old_for_webhooks: bool = False


def rotate(connection: Connection, *, new: NewSecrets, actor: User | str | None, ip: str = "") -> list[Step]:
    """Check the new secrets and, if Twilio accepts them, replace the old ones; return what stood in the way.

    With anything in the answer nothing was changed. Raises ConnectionChanged where another rotation was faster.
    """
    trial = copy.copy(connection)
    _apply(trial, new)
    report = run_check(trial)
    names = [name for name in new.__dataclass_fields__ if getattr(new, name)]
    obstacles = report.obstacles(names)
    if report.mode != connection.mode:
        obstacles.append(_wrong_mode(connection))
    if obstacles:
        return obstacles
    with transaction.atomic():
        # The row lock lets one of two rotations win; the loser sees the count it did not expect.
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.status == Connection.Status.DISCONNECTED or row.credentials_version != connection.credentials_version:
            raise ConnectionChanged("The connection was changed meanwhile. Open its page again.")
        _apply(row, new)
        fields = adopt(row, report)
        row.credentials_version += 1
        was_broken = row.status == Connection.Status.BROKEN
        row.status, row.broken_code, row.broken_at = Connection.Status.ACTIVE, None, None
        row.save(
            update_fields=[
                *fields,
                *("api_key_sid", "api_key_secret", "auth_token", "signing_token", "signing_token_secondary"),
                *("credentials_version", "status", "broken_code", "broken_at"),
            ]
        )
        changes = {name: getattr(new, name) if name == "api_key_sid" else "changed" for name in names}
        audit.record(row.organization, actor=actor, action="connection.rotated", target=row, changes=changes, ip=ip)
        if was_broken:
            transaction.on_commit(lambda: registry.tell_working(row), robust=True)
    return []


def _apply(connection: Connection, new: NewSecrets) -> None:
    if new.auth_token and new.keep_old_for_webhooks and _can_reveal(connection.auth_token):
        # Until the new token is made the primary one at Twilio, the old one still signs webhooks.
        connection.signing_token_secondary = connection.auth_token
    if new.api_key_sid:
        connection.api_key_sid = new.api_key_sid
    for name in ("api_key_secret", "auth_token", "signing_token", "signing_token_secondary"):
        value = getattr(new, name)
        if value:
            setattr(connection, name, Secret.of(value))
    if new.drop_signing_token:
        connection.signing_token = Secret("")
    if new.drop_signing_token_secondary:
        connection.signing_token_secondary = Secret("")


def _wrong_mode(connection: Connection) -> Step:
    is_test = connection.mode == Connection.Mode.TEST
    text = (
        "These are live credentials, and this connection is for test credentials."
        if is_test
        else ("These are test credentials, and messages of this connection are meant for real phones.")
    )
    return Step("Account", Level.PROBLEM, text, "Make a new connection with them.", "auth_token", breaks=True)


def _can_reveal(secret: Secret) -> bool:
    try:
        return bool(secret.reveal())
    except SecretUnreadable:
        return False
