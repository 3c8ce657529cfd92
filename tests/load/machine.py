"""What the machine did meanwhile: CPU by process, memory, and how much of it others took."""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil

MEGABYTE = 1_000_000


def cpu_seconds(pid: int) -> float:
    """Return the CPU that a process has used with all its children, the living and those that have ended."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    used = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended just now, and its parent has counted it or will
        used += times.user + times.system + times.children_user + times.children_system
    return used


def memory_mb(pid: int) -> float:
    """Return the resident memory of one process in megabytes."""
    return round(psutil.Process(pid).memory_info().rss / MEGABYTE, 1)


def machine_cpu_seconds() -> float:
    """Return the CPU that everything on the machine has used since it was started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Guests are counted as user time already, so adding them would count them twice.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return sum(times) - idle - guests


def describe_machine() -> dict[str, object]:
    """Return what a reader has to know of the machine to judge the numbers."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


@dataclass
class Meter:
    """Measures CPU and time between `start` and `stop`, by the names of processes that it is given."""

    pids: Mapping[str, int]
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    others: float = 0.0  # share of all cores, 0 to 1

    def start(self) -> "Meter":
        """Note where every process stands."""
        self._began = time.monotonic()
        self._before = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        self._own_before = cpu_seconds(os.getpid())
        self._machine_before = machine_cpu_seconds()
        return self

    def stop(self) -> "Meter":
        """Take the differences."""
        machine = machine_cpu_seconds() - self._machine_before
        self.seconds = time.monotonic() - self._began
        self.cpu = {name: cpu_seconds(pid) - self._before[name] for name, pid in self.pids.items()}
        # The measured processes are children of this one, so its own count holds them too.
        own = cpu_seconds(os.getpid()) - self._own_before
        self.others = min(1.0, max(0.0, (machine - own) / (self.seconds * (psutil.cpu_count() or 1))))
        return self

    def cpu_of(self, prefix: str) -> float:
        """Return the CPU seconds of the processes whose names begin so."""
        return sum(used for name, used in self.cpu.items() if name.startswith(prefix))
