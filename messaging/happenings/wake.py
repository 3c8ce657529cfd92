"""Call a worker that hears of what happened. A lost call costs a second: the sweep looks by itself."""

import time

import redis
import structlog
from kombu.exceptions import OperationalError

from config.celery import CHORES, app
from messaging.sending.nudges import broker_client

log = structlog.get_logger(__name__)

HEAR = "messaging.automations.hear"
_MARK_MS = 2000
_DOUBTFUL_FOR = 3.0  # seconds during which an unreachable Valkey is not tried again
_doubtful_until = 0.0


def call(task: str) -> bool:
    """Have a task run soon; while one waits to begin, no other is called. Never raises and never takes long."""
    global _doubtful_until
    if time.monotonic() < _doubtful_until:
        return False
    try:
        if broker_client().set(_mark(task), 1, nx=True, px=_MARK_MS):
            app.send_task(task, queue=CHORES, retry=False, expires=30)
    except (redis.RedisError, OperationalError, OSError) as error:
        _doubtful_until = time.monotonic() + _DOUBTFUL_FOR
        log.warning("not_called", task=task, error=type(error).__name__)
        return False
    return True


def begin(task: str) -> None:
    """Say that a called task begins, before it looks: whatever happens from now on calls again."""
    try:
        broker_client().delete(_mark(task))
    except (redis.RedisError, OSError) as error:
        log.warning("mark_stays", task=task, error=type(error).__name__)


def wake() -> bool:
    """Have what just happened heard of; call it after the commit."""
    return call(HEAR)


def _mark(task: str) -> str:
    return f"heliograph:called:{task}"
