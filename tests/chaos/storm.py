"""What goes wrong, and when."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.intake import Intake
from tests.chaos.place import Place

FAULTS = {
    "latency_ms": 50,
    "latency_jitter_ms": 150,
    "rate_429": 0.08,
    "retry_after_s": 1,
    "rate_5xx": 0.04,
    "rate_reset_before": 0.04,
    "rate_accept_hang": 0.03,
    "rate_accept_reset": 0.04,
    "rate_accept_5xx": 0.04,
    "list_lag_ms": 1000,
    "callbacks": {"delay_ms": 0, "jitter_ms": 400, "drop_rate": 0.15, "double_rate": 0.15, "reversed": False},
    "carrier": {"final": {"delivered": 0.95, "undelivered": 0.03, "failed": 0.02, "sent": 0}},
}
FAIR_WEATHER = {"carrier": FAULTS["carrier"]}


def rage(
    place: Place, *, intake: Intake, seconds: float, kill_every: float, seed: int, say: Callable[[str], None]
) -> Counter[str]:
    """Do damage until the time is over and every message was taken; return what was done how often."""
    dice = random.Random(seed)
    done: Counter[str] = Counter()
    plan: list[tuple[float, str, Callable[[], bool]]] = [
        (0.20, "valkey killed and emptied", place.kill_and_empty_valkey),
        (0.40, "postgres killed", lambda: place.kill("postgres")),
        (0.50, "callbacks reversed", lambda: bool(place.sandbox.change_dials({"callbacks": {"reversed": True}}))),
        (0.65, "postgres restarted", lambda: place.kill("postgres", signal.SIGINT)),
        (0.80, "valkey killed and emptied", place.kill_and_empty_valkey),
    ]
    began = time.monotonic()
    next_kill = began + kill_every
    while plan or not intake.is_done or time.monotonic() < began + seconds:
        now = time.monotonic()
        if plan and now >= began + plan[0][0] * seconds and plan[0][2]():
            say(f"  {now - began:5.1f} s  {plan[0][1]} ({len(intake.accepted):,} messages taken)")
            done[plan.pop(0)[1]] += 1
        if now >= next_kill:
            workers = sorted(name for name in place.pids() if name.startswith("worker"))
            if workers and place.kill(dice.choice(workers)):
                done["workers killed"] += 1
                next_kill += kill_every
        time.sleep(0.05)
    return done
