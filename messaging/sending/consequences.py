"""What becomes of messages when their connection goes: said before it is disconnected."""

from collections.abc import Iterator

from integrations.connections.models import Connection

from .models import Message
from .statuses import IN_FLIGHT, WAITING


def what_waits(connection: Connection) -> Iterator[str]:
    """Say how many messages still need the connection."""
    waiting = Message.objects.filter(connection=connection, status__in=WAITING).count()
    under_way = Message.objects.filter(connection=connection, status__in=IN_FLIGHT).count()
    if waiting:
        yield (
            f"{waiting:,} waiting message{'s' if waiting != 1 else ''} will not be sent: "
            "they fail as “Not sent in time” when their validity ends."
        )
    if under_way:
        yield f"The outcome of {under_way:,} message{'s' if under_way != 1 else ''} under way may never be known."
