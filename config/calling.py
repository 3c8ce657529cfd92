"""Call a worker. Rows say what is to be done, so a lost call costs seconds: a sweep finds them.

No call raises or takes long, whatever became of Valkey: web requests make them.
"""

import time

import redis
import structlog
from django.conf import settings
from kombu.exceptions import OperationalError

from config.celery import app

log = structlog.get_logger(__name__)

_AWAY = (redis.RedisError, OperationalError, OSError)
_DOUBTFUL_FOR = 3.0  # seconds during which an unreachable Valkey is not tried again
_client: redis.Redis | None = None
_doubtful_until = 0.0


def broker_client() -> redis.Redis:
    """Return the process's client of Valkey, with timeouts short enough for a web request."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5)
    return _client


def call(task: str, *args: object, queue: str, expires: float = 60) -> bool:
    """Have a task run soon; return whether the call left."""
    try:
        _send(task, args, queue=queue, expires=expires)
    except _AWAY as error:
        log.warning("not_called", task=task, error=type(error).__name__)
        return False
    return True


def call_once(mark: str, task: str, *args: object, queue: str, expires: float = 60, mark_ms: int = 2000) -> bool:
    """Call unless a mark in Valkey says that somebody was called and has not begun yet; return whether one comes.

    The mark, which `begin` takes away and time anyhow, is only a saving; without Valkey the sweep does the work.
    """
    global _doubtful_until
    if time.monotonic() < _doubtful_until:
        return False
    try:
        if broker_client().set(mark, 1, nx=True, px=mark_ms):
            _send(task, args, queue=queue, expires=expires)
    except _AWAY as error:
        _doubtful_until = time.monotonic() + _DOUBTFUL_FOR
        log.warning("not_called", task=task, error=type(error).__name__)
        return False
    return True


def hold_back(mark: str, *, ms: int) -> None:
    """Hold further calls back for so long: somebody is at it."""
    try:
        broker_client().set(mark, 1, px=ms)
    except _AWAY as error:
        log.warning("mark_not_set", mark=mark, error=type(error).__name__)


def begin(mark: str) -> None:
    """Take the mark away, before the first look: whatever happens from now on calls again."""
    try:
        broker_client().delete(mark)
    except _AWAY as error:
        log.warning("mark_stays", mark=mark, error=type(error).__name__)


def _send(task: str, args: tuple[object, ...], *, queue: str, expires: float) -> None:
    app.send_task(task, args=list(args), queue=queue, retry=False, expires=expires)
