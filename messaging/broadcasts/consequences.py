"""What becomes of broadcasts when their connection goes: said before it is disconnected."""

from collections.abc import Iterator

from integrations.connections.models import Connection

from .lifecycle import UNDER_WAY
from .models import Broadcast


def what_pauses(connection: Connection) -> Iterator[str]:
    """Say how many broadcasts cannot go on without the connection."""
    count = Broadcast.objects.filter(connection=connection, status__in=UNDER_WAY).count()
    if count:
        yield f"{count:,} broadcast{'s' if count != 1 else ''} under way will stop, and cannot be resumed."
