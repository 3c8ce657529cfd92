"""Tell the clerk that there is work. A lost call costs seconds: the sweep finds the row."""

import uuid

import redis
import structlog
from kombu.exceptions import OperationalError

from config.celery import JOBS, app

log = structlog.get_logger(__name__)


def wake(job_id: uuid.UUID) -> bool:
    """Ask for work on a job; return whether the call left. Never raises and never takes long."""
    try:
        app.send_task("messaging.jobs.run", args=[str(job_id)], queue=JOBS, retry=False, expires=60)
    except (redis.RedisError, OperationalError, OSError) as error:
        log.warning("job_not_called", job=str(job_id), error=type(error).__name__)
        return False
    return True
