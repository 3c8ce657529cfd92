"""How often a key may ask: `API_RATE` requests in a second, counted in Valkey."""

import math
import time
import uuid

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

WINDOW_MS = 1000
_DOUBTFUL_FOR = 3.0  # seconds during which an unreachable Valkey is not asked again
# Counts are a courtesy to other callers, not a record: one that is slow to come is done without.
_PATIENCE = 0.15
# The first request opens the window by Valkey's clock, so that web servers whose clocks differ count alike.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
_client: redis.Redis | None = None
_doubtful_until = 0.0


def take(key_id: uuid.UUID) -> int:
    """Count a request of a key; return 0 where it may pass, else the whole seconds to wait.

    Without Valkey every request passes: refusing messages because the counting is down would be the greater harm.
    """
    global _doubtful_until
    if settings.API_RATE <= 0 or time.monotonic() < _doubtful_until:
        return 0
    try:
        count, left_ms = _connect().eval(_COUNT, 1, f"heliograph:api_rate:{key_id}", WINDOW_MS)  # type: ignore[misc]
    except (redis.RedisError, OSError) as error:
        _doubtful_until = time.monotonic() + _DOUBTFUL_FOR
        log.warning("api_rate_not_counted", error=type(error).__name__)
        return 0
    return max(1, math.ceil(left_ms / 1000)) if count > settings.API_RATE else 0


def _connect() -> redis.Redis:
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)
    return _client
