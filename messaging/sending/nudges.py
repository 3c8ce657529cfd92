"""Tell a worker that there is something to send. A lost nudge costs two seconds: the sweep finds the row."""

import time
import uuid

import redis
import structlog
from django.conf import settings
from kombu.exceptions import OperationalError

from config.celery import FAST, app

log = structlog.get_logger(__name__)

_DOUBTFUL_FOR = 3.0  # seconds during which an unreachable Valkey is not tried again
_client: redis.Redis | None = None
_doubtful_until = 0.0


def broker_client() -> redis.Redis:
    """Return the process's client of Valkey, with timeouts short enough for a web request."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5)
    return _client


def _key(connection_id: uuid.UUID | str, lane: int, sender: str | None) -> str:
    return f"heliograph:nudged:{connection_id}:{lane}:{'*' if sender is None else sender}"


def nudge(connection_id: uuid.UUID, *, lane: int, sender: str | None = None) -> bool:
    """Ask for a drain of a lane; return whether the nudge left. Never raises and never takes long.

    Without a `sender` all senders of the connection are meant; a worker then looks which of them have something to do.

    Many messages queued at once need one nudge: a mark in Valkey, taken away when the drain begins, holds the others
    back. The mark is only a saving; without Valkey nothing is nudged and the sweep does the work.
    """
    global _doubtful_until
    if time.monotonic() < _doubtful_until:
        return False
    try:
        if not broker_client().set(_key(connection_id, lane, sender), 1, nx=True, px=2000):
            return True
        app.send_task(
            "messaging.sending.drain", args=[str(connection_id), lane, sender], queue=FAST, retry=False, expires=60
        )
    except (redis.RedisError, OperationalError, OSError) as error:
        _doubtful_until = time.monotonic() + _DOUBTFUL_FOR
        log.warning("nudge_failed", error=type(error).__name__)
        return False
    return True


def begin_drain(connection_id: uuid.UUID, *, lane: int, sender: str | None = None) -> None:
    """Take the mark away, before the first claim: what is queued from now on nudges again."""
    try:
        broker_client().delete(_key(connection_id, lane, sender))
    except (redis.RedisError, OSError) as error:
        log.warning("nudge_mark_stays", error=type(error).__name__)
