"""Tell a worker that callbacks wait. A lost call costs two seconds: the sweep finds them.

A worker that applies callbacks says so by a mark in Valkey, and goes on looking while the mark stands; as long as it
does, nobody needs to be told of another callback.
"""

import time

from config.calling import begin, call_once, hold_back
from config.celery import FAST

_MARK = "heliograph:callbacks-awake"
_AWAKE_MS = 1000
# Who saw the mark asks again only after this long; whoever takes the mark away looks once more after longer than that.
SEEN_FOR = 0.05
_seen_until = 0.0


def wake() -> None:
    """Have what was just stored applied. Never raises and never takes long; call it after the commit."""
    global _seen_until
    asked = time.monotonic()
    if asked >= _seen_until and call_once(_MARK, "messaging.receipts.apply_new", queue=FAST, mark_ms=_AWAKE_MS):
        _seen_until = asked + SEEN_FOR


def stay_awake() -> None:
    """Say that somebody looks for callbacks, for another second."""
    hold_back(_MARK, ms=_AWAKE_MS)


def fall_asleep() -> None:
    """Say that nobody looks any more, and wait until everybody has noticed: then look once more."""
    begin(_MARK)
    time.sleep(SEEN_FOR * 1.5)
