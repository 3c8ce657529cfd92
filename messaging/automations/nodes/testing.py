"""What a test run may use: the organization's sandbox, and the number that was given for the test."""

from integrations.connections.models import Connection
from messaging.automations.base import NodeFailed, Step


def sandbox_of(step: Step) -> Connection:
    """Return the connection that test runs send over, which is never a live one; raise NodeFailed without one."""
    if step.connection is not None and step.connection.is_sandbox:
        return step.connection
    found = (
        Connection.objects.filter(
            organization=step.organization, mode=Connection.Mode.SANDBOX, status=Connection.Status.ACTIVE
        )
        .order_by("-is_default", "-created_at")
        .first()
    )
    if found is None:
        raise NodeFailed(
            "no_sandbox",
            "A test sends over the sandbox, and none is connected. Connect one under Integration, System services: it "
            "costs nothing, and nobody’s phone rings. Then test again.",
        )
    return found


def test_number(step: Step) -> str:
    """Return the number that was given for the test, "" where none was."""
    return step.run.phone
