"""Whether the memory of the workers stays flat over many messages."""

from typing import Any

from integrations.connections.models import Connection
from tests.load.servers import Installation
from tests.load.throughput import measure_drain

_PARTS = 10


def measure_memory(place: Installation, *, through: Connection, count: int) -> dict[str, Any]:
    """Send many messages in ten parts and look at the memory of all workers together after each."""
    after = []
    for _ in range(_PARTS):
        figures = measure_drain(place, through=through, count=max(1, count // _PARTS))
        after.append(figures["worker_memory_mb"]["end"])
    # The first parts meet empty caches and pools; what counts is whether it goes on growing.
    settled = after[_PARTS // 5 :]
    return {
        "messages": count,
        "mb_after_each_tenth": after,
        "growth": round(settled[-1] / settled[0] - 1, 3),
    }
