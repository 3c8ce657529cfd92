"""How many queued messages a second are handed over, and what each costs, by process."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db.models import QuerySet
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from messaging.sending.nudges import nudge
from messaging.sending.statuses import Status
from tests.load.machine import Meter, memory_mb
from tests.load.rows import queue_messages
from tests.load.servers import Installation

PROCESSES = ("worker", "postgres", "valkey", "sandbox", "web", "beat")
_UNDER_WAY = (Status.QUEUED, Status.SENDING, Status.UNKNOWN)


@dataclass
class MemoryWatch:
    """The memory of every worker, about once a second, in megabytes."""

    place: Installation
    samples: list[list[float]] = field(default_factory=list)
    _looked: float = 0.0

    def look(self, *, at_once: bool = False) -> None:
        """Take a sample where the last one is a second old."""
        if at_once or time.monotonic() - self._looked >= 1:
            self._looked = time.monotonic()
            workers = [pid for name, pid in sorted(self.place.pids().items()) if name.startswith("worker")]
            self.samples.append([memory_mb(pid) for pid in workers])

    def figures(self) -> dict[str, Any]:
        """Return the sums over the workers: before, after the first quarter of the samples, at the end."""
        sums = [round(sum(sample)) for sample in self.samples]
        return {"before": sums[0], "after_first_quarter": sums[len(sums) // 4], "end": sums[-1], "most": max(sums)}


def measure_drain(place: Installation, *, through: Connection, count: int) -> dict[str, Any]:
    """Queue messages, nudge once, and measure until the last one is handed over."""
    before = _prepare(through, count=count)
    memory, meter = MemoryWatch(place), Meter(place.pids()).start()
    began = _empty_lane(place, through=through, count=count, memory=memory)
    return _figures(through, count=count, before=before, began=began, meter=meter.stop(), memory=memory)


def measure_with_callbacks(place: Installation, *, through: Connection, count: int) -> dict[str, Any]:
    """Measure a drain while the web takes the callbacks, and on until every message is delivered."""
    before = _prepare(through, count=count)
    pids = place.pids()
    memory, meter, whole = MemoryWatch(place), Meter(pids).start(), Meter(pids).start()
    began = _empty_lane(place, through=through, count=count, memory=memory)
    meter.stop()
    mine = Message.objects.filter(connection=through)
    place.wait_until(
        lambda: not mine.filter(status__in=[Status.ACCEPTED, Status.SENT]).exists(),
        seconds=120 + count / 5,
        what="Delivery of every message",
        every=0.25,
    )
    whole.stop()
    received = list(
        Callback.objects.filter(connection=through, received_at__gte=began)
        .order_by("received_at")
        .values_list("received_at", flat=True)
    )
    return {
        **_figures(through, count=count, before=before, began=began, meter=meter, memory=memory),
        "until_all_delivered": {
            "per_second": round(count / whole.seconds, 1),
            "callbacks": len(received),
            "callbacks_per_second": _middle_rate(received),
            "delivered": mine.filter(status=Status.DELIVERED, finished_at__gte=began).count(),
            "cpu_ms_per_message": cost_by_process(whole, count=count),
            "cpu_taken_by_others": round(whole.others, 3),
        },
    }


def cost_by_process(meter: Meter, *, count: int) -> dict[str, float]:
    """Return milliseconds of CPU for each message, by kind of process."""
    return {name: round(meter.cpu_of(name) * 1000 / count, 3) for name in PROCESSES}


def is_quiet(through: Connection) -> bool:
    """Tell whether no message of a connection is under way; one after the other: each state has a partial index."""
    return not any(Message.objects.filter(connection=through, status=status).exists() for status in _UNDER_WAY)


def _handed_over(through: Connection) -> QuerySet[Message]:
    return Message.objects.filter(connection=through, handed_over_at__isnull=False)


def _prepare(through: Connection, *, count: int) -> int:
    """Insert the messages behind a closed door: a sweep would find them before the measurement begins.

    Return how many others were handed over before: our clock and the one that stamps messages are not the same.
    """
    before = _handed_over(through).count()
    Connection.objects.filter(pk=through.pk).update(status=Connection.Status.BROKEN)
    queue_messages(through, count=count)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
        cursor.execute("CHECKPOINT")  # that of the insertion is not to fall into the measurement
    return before


def _empty_lane(place: Installation, *, through: Connection, count: int, memory: MemoryWatch) -> datetime:
    """Open the door, nudge, and wait until nothing is under way; return when that began."""
    memory.look(at_once=True)
    began = timezone.now()
    Connection.objects.filter(pk=through.pk).update(status=Connection.Status.ACTIVE)
    nudge(through.pk, lane=Message.Lane.BULK)

    def is_empty() -> bool:
        memory.look()
        return is_quiet(through)

    place.wait_until(is_empty, seconds=60 + count / 20, what="Handing the queued messages over")
    memory.look(at_once=True)
    return began


def _figures(
    through: Connection, *, count: int, before: int, began: datetime, meter: Meter, memory: MemoryWatch
) -> dict[str, Any]:
    handed_over = _handed_over(through).count() - before
    newest = _handed_over(through).order_by("-handed_over_at").values_list("handed_over_at", flat=True)
    moments = list(newest[:count])[::-1]
    if handed_over != count:
        mine = Message.objects.filter(connection=through).order_by("-pk").values_list("status", "error_reason")
        became = Counter(f"{status} {reason}".strip() for status, reason in mine[:count])
        raise RuntimeError(
            f"Of {count} messages {handed_over} were handed over: figures would mean nothing. They became {became}."
        )
    cost = cost_by_process(meter, count=count)
    by_worker = {name: round(used, 2) for name, used in sorted(meter.cpu.items()) if name.startswith("worker")}
    return {
        "messages": count,
        "per_second": round(count / (moments[-1] - began).total_seconds(), 1),
        "per_second_middle": _middle_rate(moments),
        "cpu_ms_per_message": cost,
        "cpu_seconds_by_worker": by_worker,
        "sandbox_to_sender": round(cost["sandbox"] / cost["worker"], 3) if cost["worker"] else None,
        "cpu_taken_by_others": round(meter.others, 3),
        "worker_memory_mb": memory.figures(),
    }


def _middle_rate(moments: list[datetime]) -> float | None:
    """Return the rate between the first and the last fifth: without the start, and without the last answers."""
    first, last = len(moments) // 5, len(moments) * 4 // 5
    seconds = (moments[last] - moments[first]).total_seconds() if last > first else 0.0
    return round((last - first) / seconds, 1) if seconds else None
