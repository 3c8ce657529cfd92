"""Tell a worker that a broadcast wants to be fed. A lost call costs a second: the feeder looks every second."""

from config.calling import call
from config.celery import CHORES


def wake_feeder() -> bool:
    """Ask for a turn of the feeder; return whether the call left. Never raises and never takes long."""
    return call("messaging.broadcasts.feed", queue=CHORES, expires=10)
