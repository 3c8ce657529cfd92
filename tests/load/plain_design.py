"""How fast the plain Celery design is against the same sandbox: prefork and threads, of which the better counts."""

from typing import Any

from django.db import connection

from tests.load.machine import Meter
from tests.load.rows import Customer
from tests.load.servers import Installation
from tests.load.targets import TUNED

# Between the first and the last tenth: at the start many are under way before the first is done.
_HANDED_OVER = """
SELECT count(*), percentile_disc(0.1) WITHIN GROUP (ORDER BY handed_over_at),
    percentile_disc(0.9) WITHIN GROUP (ORDER BY handed_over_at)
FROM plain_plainmessage WHERE status = 'accepted'
"""
# As many in flight as ours have would be 200 processes of 60 MB, or more connections than the database has. With these
# the two cores are busy already, and 100 ms allow 500 and 1,000 a second.
POOLS = {"prefork": (1, 50), "threads": (2, 50), "threads, tuned": (2, 50)}


def measure_plain_design(place: Installation, *, customer: Customer, count: int, pool: str) -> dict[str, Any]:
    """Queue the tasks, start the workers, and take the rate between the first tenth handed over and the last."""
    account = customer.account
    place.environment |= {
        "PLAIN_ACCOUNT": account.account_sid,
        "PLAIN_USERNAME": account.api_key_sid,
        "PLAIN_PASSWORD": account.api_key_secret,
        "PLAIN_SERVICE": account.messaging_service_sid,
    }
    place.environment["PLAIN_TUNED"] = "1" if pool in TUNED else "0"
    place.run_to_end("-m", "tests.load.plain_queue", str(count))
    processes, most = POOLS[pool]
    concurrency = min(most, max(4, count // 5))  # a handful of messages keeps no fifty processes busy
    place.start_plain_workers(pool=pool.partition(",")[0], processes=processes, concurrency=concurrency)
    try:
        figures = _wait(place, count=count // 10)  # the first tenth meets cold processes
        meter, already = Meter(place.pids()).start(), figures["handed_over"]
        figures = _wait(place, count=count)
        meter.stop()
    finally:
        place.stop_plain_workers()
    metered = max(1, count - already)
    return {
        "messages": count,
        "pool": pool,
        "concurrency": processes * concurrency,
        "per_second": round(0.8 * count / (figures["last"] - figures["first"]).total_seconds(), 1),
        "cpu_ms_per_message": {
            "sender": round(meter.cpu_of("celery") * 1000 / metered, 3),
            **{name: round(meter.cpu_of(name) * 1000 / metered, 3) for name in ("postgres", "valkey", "sandbox")},
        },
        "cpu_taken_by_others": round(meter.others, 3),
    }


def _wait(place: Installation, *, count: int) -> dict[str, Any]:
    """Wait until so many were handed over, and return how many, and when the first and the last tenth were."""
    found: dict[str, Any] = {}

    def is_met() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_HANDED_OVER)
            found["handed_over"], found["first"], found["last"] = cursor.fetchone()
        return bool(found["handed_over"] >= count)

    place.wait_until(is_met, seconds=90 + count / 20, what="Handing over by the plain design", every=0.25)
    return found
