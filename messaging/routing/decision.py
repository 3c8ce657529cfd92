"""Which way a message goes, and why: one pure table, and the reading of the organization it needs."""

from dataclasses import dataclass
from enum import StrEnum

from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection
from integrations.organizations.models import Organization
from integrations.phones import Phone
from integrations.twilio.error_table import explain


class Kind(StrEnum):
    """Who carries the message."""

    TWILIO = "twilio"
    PLATFORM = "platform"
    REFUSED = "refused"


@dataclass(frozen=True)
class Route:
    """A decision with its reason in words; `code` names a refusal."""

    kind: Kind
    reason: str
    code: str = ""
    connection: Connection | None = None


def decide(organization: Organization, *, phone: Phone, purpose: str, connection: Connection | None = None) -> Route:
    """Return the route of a message to `phone`; `connection` overrides the organization's default one.

    A connection that is broken is not "not connected": nothing falls back to another way.
    """
    return route_for(connection=connection or default_connection(organization), phone=phone, purpose=purpose)


def route_for(*, connection: Connection | None, phone: Phone, purpose: str) -> Route:
    """Apply the routing table to a number; reads nothing."""
    if phone.is_mainland_china and not (connection is not None and connection.is_sandbox):
        return Route(
            Kind.REFUSED,
            "Numbers in Mainland China are reached by platform SMS, which this installation does not offer yet.",
            code="no_route",
        )
    return route_to_world(connection)


def route_to_world(connection: Connection | None) -> Route:
    """Return the route of whatever goes outside Mainland China through a connection; reads nothing."""
    if connection is None:
        return Route(Kind.REFUSED, "Connect Twilio to send outside Mainland China.", code="not_connected")
    if connection.status == Connection.Status.BROKEN:
        cause = explain(connection.broken_code)
        return Route(
            Kind.REFUSED,
            f"The connection “{connection.name}” is broken: {cause.title} {cause.remedy}",
            code="connection_broken",
            connection=connection,
        )
    if connection.status != Connection.Status.ACTIVE:
        return Route(Kind.REFUSED, f"The connection “{connection.name}” was disconnected.", code="not_connected")
    if not connection.sends_as:
        return Route(
            Kind.REFUSED,
            f"The connection “{connection.name}” has neither a Messaging Service nor a From number. Add one of them.",
            code="no_sender",
            connection=connection,
        )
    return Route(Kind.TWILIO, f"Outside Mainland China, through “{connection.name}”.", connection=connection)
