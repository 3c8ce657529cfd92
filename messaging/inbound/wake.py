"""Tell a worker that there are files to fetch. A lost call costs seconds: the sweep finds the rows."""

from config.calling import call
from config.celery import CHORES


def wake_fetching() -> None:
    """Ask for a look at what waits; never raises and never takes long."""
    call("messaging.inbound.fetch_media", queue=CHORES)
