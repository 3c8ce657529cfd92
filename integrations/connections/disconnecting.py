"""Disconnect: the secrets go, the history stays."""

from django.db import transaction
from django.utils import timezone

from integrations.encryption import Secret
from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from .models import Connection

_SECRETS = ("api_key_secret", "auth_token", "signing_token", "signing_token_secondary", "hook_secret")


def successor_of(connection: Connection) -> Connection | None:
    """Return the connection that becomes the default when this one goes: the oldest active one of the same mode.

    Of the same mode only: sandbox traffic must not start to reach real phones, nor real traffic end in the sandbox.
    """
    if not connection.is_default:
        return None
    others = Connection.objects.filter(
        organization=connection.organization_id, mode=connection.mode, status=Connection.Status.ACTIVE
    )
    return others.exclude(pk=connection.pk).order_by("created_at").first()


def disconnect(connection: Connection, *, actor: User, ip: str = "") -> bool:
    """Wipe the connection's secrets and end its use; return False where that was done before."""
    with transaction.atomic():
        # One at a time for each organization, so that the default is handed on once.
        Organization.objects.select_for_update().get(pk=connection.organization_id)
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.status == Connection.Status.DISCONNECTED:
            return False
        successor = successor_of(row)
        for name in _SECRETS:
            setattr(row, name, Secret(""))
        row.is_default = False
        row.status = Connection.Status.DISCONNECTED
        row.disconnected_at = timezone.now()
        row.credentials_version += 1
        row.save(update_fields=[*_SECRETS, "is_default", "status", "disconnected_at", "credentials_version"])
        if successor is not None:
            Connection.objects.filter(pk=successor.pk).update(is_default=True)
        changes = {"account_sid": row.account_sid, "default now": successor.name if successor else None}
        audit.record(
            row.organization, actor=actor, action="connection.disconnected", target=row, changes=changes, ip=ip
        )
    return True
