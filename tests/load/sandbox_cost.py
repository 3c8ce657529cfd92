"""What the sandbox costs, and how fast the barest of senders is against it: the measure for ours."""

import json
from typing import Any

from tests.load.machine import Meter
from tests.load.rows import Customer
from tests.load.servers import Installation

_BODY = "Your parcel arrives today between 10 and 12. Track it at https://example.com/t/0000000"


def measure_bare_posts(place: Installation, *, customer: Customer, count: int, window: int) -> dict[str, Any]:
    """Post with plain aiohttp from as many processes as there are workers, each with as many in flight."""
    account = customer.account
    order = {
        "url": f"{place.sandbox_url}/api.twilio.com/2010-04-01/Accounts/{account.account_sid}/Messages.json",
        "username": account.api_key_sid,
        "password": account.api_key_secret,
        "service": account.messaging_service_sid,
        "body": _BODY,
        "count": count // place.workers,
        "window": window,
    }
    posters = [place.run_beside("-m", "tests.load.bare_posts") for _ in range(place.workers)]
    try:
        for poster in posters:
            assert poster.stdin is not None
            assert poster.stdout is not None
            poster.stdin.write(json.dumps(order) + "\n")
            poster.stdin.flush()
        for poster in posters:
            if poster.stdout.readline() != "ready\n":  # type: ignore[union-attr]
                raise RuntimeError("A process of the bare posts did not start.")
        meter = Meter(place.pids()).start()
        for poster in posters:
            poster.stdin.write("go\n")  # type: ignore[union-attr]
            poster.stdin.flush()  # type: ignore[union-attr]
        results = [json.loads(poster.stdout.readline()) for poster in posters]  # type: ignore[union-attr]
        meter.stop()
    finally:
        for poster in posters:
            poster.kill()
            poster.communicate()
    posted = order["count"] * place.workers
    seconds = max(result["ended"] for result in results) - min(result["began"] for result in results)
    return {
        "messages": posted,
        "per_second": round(posted / seconds, 1),
        "cpu_ms_per_message": {
            "sender": round(sum(result["cpu"] for result in results) * 1000 / posted, 3),
            "sandbox": round(meter.cpu_of("sandbox") * 1000 / posted, 3),
        },
        "cpu_taken_by_others": round(meter.others, 3),
    }
