"""One heap for everything that happens later, instead of a task per message and status."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any

_BATCH = 400


class Timers:
    """The sandbox's clock (seconds since the epoch, can be moved forward) and what is due on it."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._heap: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._numbers = itertools.count()
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = float("inf")

    def now(self) -> float:
        """Return the sandbox's time."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward; what becomes due happens at once."""
        self._offset += seconds
        self._arm()

    def after(self, seconds: float, action: Callable[[Any], None], subject: Any) -> None:
        """Call `action(subject)` when that many seconds have passed."""
        due = self.now() + seconds
        heapq.heappush(self._heap, (due, next(self._numbers), action, subject))
        if due < self._armed_for:
            self._arm()

    def clear(self) -> None:
        """Forget everything that was due and set the clock right."""
        self._heap.clear()
        self._offset = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if not self._heap:
            self._armed_for = float("inf")
            return
        self._armed_for = self._heap[0][0]
        delay = max(0.0, self._armed_for - self.now())
        self._handle = asyncio.get_running_loop().call_later(delay, self._run)

    def _run(self) -> None:
        self._handle = None
        # A bounded batch: requests are answered between two batches even while thousands of timers are due.
        self._armed_for = float("-inf")
        try:
            for _ in range(_BATCH):
                if not self._heap or self._heap[0][0] > self.now():
                    break
                _due, _number, action, subject = heapq.heappop(self._heap)
                action(subject)
        finally:
            # Also after an action that failed: one bad message must not stop the clock for all.
            self._arm()
