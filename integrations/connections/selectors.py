"""Reads: which connections an organization has, and through which it sends."""

import uuid

from django.db.models import QuerySet

from integrations.organizations.models import Organization

from .credentials import BROKEN, NOT_CONNECTED, ConnectionUnusable
from .models import Connection


def connections_of(organization: Organization, *, with_disconnected: bool = True) -> QuerySet[Connection]:
    """Return the organization's connections, the default first."""
    # A webhook carries platform SMS for others, and is set up on the operator's own page.
    connections = Connection.objects.filter(organization=organization).exclude(mode=Connection.Mode.WEBHOOK)
    return connections if with_disconnected else connections.exclude(status=Connection.Status.DISCONNECTED)


def default_connection(organization: Organization) -> Connection | None:
    """Return the connection used where none is named; it may be broken."""
    return Connection.objects.filter(organization=organization, is_default=True).first()


def usable_connection(organization: Organization, connection_id: uuid.UUID | None = None) -> Connection:
    """Return the named connection, or the default one, if new messages may go through it.

    Raises ConnectionUnusable: `not_connected` where there is none, `connection_broken` where Twilio refuses it.
    """
    if connection_id is None:
        connection = default_connection(organization)
    else:
        connection = Connection.objects.filter(organization=organization, pk=connection_id).first()
    if connection is None or connection.status == Connection.Status.DISCONNECTED:
        raise ConnectionUnusable(
            NOT_CONNECTED, "No Twilio connection. Connect one under Integration, System services, then send again."
        )
    if connection.status == Connection.Status.BROKEN:
        cause = f" (Twilio error {connection.broken_code})" if connection.broken_code else ""
        raise ConnectionUnusable(
            BROKEN,
            f"The connection “{connection.name}” is broken{cause}. Repair it under Integration, System services.",
        )
    return connection
