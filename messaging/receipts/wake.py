"""Tell a worker that callbacks wait. A lost call costs two seconds: the sweep finds them.

A worker that applies callbacks says so by a mark in Valkey, and goes on looking while the mark stands; as long as it
does, nobody needs to be told of another callback.
"""

import time

import redis
import structlog
from kombu.exceptions import OperationalError

from config.celery import FAST, app
from messaging.sending.nudges import broker_client

log = structlog.get_logger(__name__)

_MARK = "heliograph:callbacks-awake"
_AWAKE_MS = 1000
# Who saw the mark asks again only after this long; whoever takes the mark away looks once more after longer than that.
SEEN_FOR = 0.05
_DOUBTFUL_FOR = 3.0  # seconds during which an unreachable Valkey is not tried again
_seen_until = 0.0


def wake() -> None:
    """Have what was just stored applied. Never raises and never takes long; call it after the commit."""
    global _seen_until
    if time.monotonic() < _seen_until:
        return
    asked = time.monotonic()
    try:
        if broker_client().set(_MARK, 1, nx=True, px=_AWAKE_MS):
            app.send_task("messaging.receipts.apply_new", queue=FAST, retry=False, expires=60)
        _seen_until = asked + SEEN_FOR
    except (redis.RedisError, OperationalError, OSError) as error:
        _seen_until = time.monotonic() + _DOUBTFUL_FOR
        log.warning("callbacks_not_announced", error=type(error).__name__)


def stay_awake() -> None:
    """Say that somebody looks for callbacks, for another second."""
    try:
        broker_client().set(_MARK, 1, px=_AWAKE_MS)
    except (redis.RedisError, OSError) as error:
        log.warning("mark_of_callbacks_fails", error=type(error).__name__)


def fall_asleep() -> None:
    """Say that nobody looks any more, and wait until everybody has noticed: then look once more."""
    try:
        broker_client().delete(_MARK)
    except (redis.RedisError, OSError) as error:
        log.warning("mark_of_callbacks_stays", error=type(error).__name__)
    time.sleep(SEEN_FOR * 1.5)
