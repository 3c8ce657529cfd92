"""How often a key may ask: `API_RATE` requests in a second, counted in Valkey."""

import math
import threading
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
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
# A process takes a hundredth of the rate at once, to ask Valkey the less often the more is allowed; one, up to 199/s.
_SHARES, _LARGEST_SHARE = 100, 100
_MOST_KEYS = 10_000
_client: redis.Redis | None = None
_lock = threading.Lock()
_kept: dict[uuid.UUID, tuple[float, int]] = {}  # until when this process may let how many more requests pass
_doubtful_until = 0.0


def take(key_id: uuid.UUID, *, rate: int | None = None) -> int:
    """Count a request of a key; return 0 where it may pass, else the whole seconds to wait. `rate`: not the API's.

    Without Valkey every request passes: refusing messages because the counting is down would be the greater harm.
    """
    global _doubtful_until
    rate = settings.API_RATE if rate is None else rate
    if rate <= 0 or time.monotonic() < _doubtful_until or _take_kept(key_id):
        return 0
    share = max(1, min(_LARGEST_SHARE, rate // _SHARES))
    name = f"heliograph:api_rate:{key_id}"
    try:
        count, left_ms = _connect().eval(_COUNT, 1, name, WINDOW_MS, share)  # type: ignore[misc]
    except (redis.RedisError, OSError) as error:
        _doubtful_until = time.monotonic() + _DOUBTFUL_FOR
        log.warning("api_rate_not_counted", error=type(error).__name__)
        return 0
    granted = min(share, rate - (count - share))
    if granted < 1:
        return max(1, math.ceil(left_ms / 1000))
    if granted > 1:
        _keep(key_id, time.monotonic() + left_ms / 1000, granted - 1)
    return 0


def _take_kept(key_id: uuid.UUID) -> bool:
    with _lock:
        until, left = _kept.get(key_id, (0.0, 0))
        if not left or time.monotonic() >= until:
            return False
        _kept[key_id] = until, left - 1
        return True


def _keep(key_id: uuid.UUID, until: float, count: int) -> None:
    with _lock:
        if len(_kept) >= _MOST_KEYS:
            _kept.clear()
        _kept[key_id] = until, count


def _connect() -> redis.Redis:
    global _client
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)
    return _client
