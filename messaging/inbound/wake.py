"""Tell a worker that there are files to fetch. A lost call costs seconds: the sweep finds the rows."""

import redis
import structlog
from kombu.exceptions import OperationalError

from config.celery import CHORES, app

log = structlog.get_logger(__name__)


def wake_fetching() -> None:
    """Ask for a look at what waits; never raises and never takes long."""
    try:
        app.send_task("messaging.inbound.fetch_media", queue=CHORES, retry=False, expires=60)
    except (redis.RedisError, OperationalError, OSError) as error:
        log.warning("media_wake_failed", error=type(error).__name__)
