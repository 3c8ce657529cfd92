"""Tell a worker that a broadcast wants to be fed. A lost call costs a second: the feeder looks every second."""

import redis
import structlog
from kombu.exceptions import OperationalError

from config.celery import CHORES, app

log = structlog.get_logger(__name__)


def wake_feeder() -> bool:
    """Ask for a turn of the feeder; return whether the call left. Never raises and never takes long."""
    try:
        app.send_task("messaging.broadcasts.feed", queue=CHORES, retry=False, expires=10)
    except (redis.RedisError, OperationalError, OSError) as error:
        log.warning("feeder_not_called", error=type(error).__name__)
        return False
    return True
