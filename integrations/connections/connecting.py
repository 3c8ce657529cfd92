"""Connect: from a checked candidate to the row that messages are sent through."""

import secrets
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.encryption import Secret
from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from .check import CheckReport
from .models import Connection

_SECRETS = ("api_key_secret", "auth_token", "signing_token", "signing_token_secondary")
_FACTS = ("account_sid", "api_key_sid", "messaging_service_sid", "verify_service_sid", "sender", "mps")


def candidate(organization: Organization, *, auth: str, mode: str = Connection.Mode.LIVE, **values: Any) -> Connection:
    """Return an unsaved connection with these values, ready for `run_check`; secrets are given in plain text."""
    connection = Connection(
        organization=organization, auth=auth, mode=mode, hook_secret=Secret.of(secrets.token_hex(32))
    )
    for name, value in values.items():
        setattr(connection, name, Secret.of(value) if name in _SECRETS else value)
    return connection


def connect(
    connection: Connection,
    *,
    report: CheckReport | None,
    actor: User | str | None,
    make_default: bool = False,
    request_id: uuid.UUID | None = None,
    ip: str = "",
) -> Connection:
    """Save a candidate and return it; with a request_id that was used before, return what that one made.

    The first connection of an organization becomes its default; with `make_default` this one takes another's place.
    """
    organization = connection.organization
    with transaction.atomic():
        # One connect at a time for each organization: two admins make one default, a double click makes one row.
        Organization.objects.select_for_update().get(pk=organization.pk)
        earlier = find_request(organization, request_id)
        if earlier is not None:
            return earlier
        default = Connection.objects.filter(organization=organization, is_default=True).first()
        if default is not None and make_default:
            Connection.objects.filter(pk=default.pk).update(is_default=False)
        connection.is_default = default is None or make_default
        connection.request_id = request_id
        if report is not None:
            adopt(connection, report)
        connection.save(force_insert=True)
        facts = {name: getattr(connection, name) for name in _FACTS if getattr(connection, name)}
        given = dict.fromkeys((name for name in _SECRETS if getattr(connection, name)), "set")
        changes = {"mode": connection.mode, "auth": connection.auth, "default": connection.is_default, **facts, **given}
        audit.record(
            organization, actor=actor, action="connection.connected", target=connection, changes=changes, ip=ip
        )
    return connection


def find_request(organization: Organization, request_id: uuid.UUID | None) -> Connection | None:
    """Return the connection that a submitted form has made already, or None."""
    if request_id is None:
        return None
    return Connection.objects.filter(organization=organization, request_id=request_id).first()


def adopt(connection: Connection, report: CheckReport) -> list[str]:
    """Take over what a check found out; return the names of the changed fields, for saving."""
    connection.check_report = report.as_json()
    connection.checked_at = timezone.now()
    changed = ["check_report", "checked_at"]
    if not report.is_unreachable:
        connection.account_sid = report.account_sid or connection.account_sid
        connection.account_name = report.account_name or connection.account_name
        connection.account_type = report.account_type or connection.account_type
        connection.messaging_service_name = report.messaging_service_name
        changed += ["account_sid", "account_name", "account_type", "messaging_service_name"]
        if connection._state.adding:
            # Later the mode stays: rows already sent rely on what the connection was.
            connection.mode = report.mode
    return changed
