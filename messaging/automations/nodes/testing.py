"""The sandbox over which tests send, and where their page finds what came of it."""

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.sandbox.selectors import sandbox_connections
from messaging.automations.base import NodeFailed


def sandbox_of(organization: Organization) -> Connection | None:
    """Return the connection over which tests send, which is never a live one."""
    return sandbox_connections(organization).filter(status=Connection.Status.ACTIVE).first()


def need_sandbox(organization: Organization) -> Connection:
    """Return the connection over which tests send; raise NodeFailed without one."""
    found = sandbox_of(organization)
    if found is None:
        raise NodeFailed(
            "no_sandbox",
            "A test sends over the sandbox, and none is connected. Connect one under Integration, System services: it "
            "costs nothing, and nobody’s phone rings. Then test again.",
        )
    return found
