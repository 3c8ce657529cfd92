"""How long a single message takes from its commit to Twilio's answer."""

import time
from typing import Any

from django.db import transaction

from integrations.clock import database_now
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from tests.load.figures import spread
from tests.load.rows import Customer
from tests.load.servers import Installation

_PAUSE = 0.15  # so that the engine has gone to rest before the next one


def measure_single(place: Installation, *, customer: Customer, count: int, latency_ms: int) -> dict[str, Any]:
    """Send one message after the other on an idle system."""
    return {
        "messages": count,
        "ms_beside_latency": send_singles(place, customer=customer, count=count, latency_ms=latency_ms),
    }


def send_singles(place: Installation, *, customer: Customer, count: int, latency_ms: int) -> dict[str, float]:
    """Send one after the other through the outbox; milliseconds, with Twilio's simulated latency taken off."""
    waits = []
    for number in range(count):
        draft = Draft(
            to=f"+49152{time.time_ns() // 1000 % 100_000_000:08d}",
            body=f"Your code is on its way, {number}.",
            connection=customer.quiet,
        )
        with transaction.atomic():
            message = enqueue(customer.organization, draft=draft)
        committed = database_now()
        mine = Message.objects.filter(pk=message.pk, handed_over_at__isnull=False)
        place.wait_until(mine.exists, seconds=30, what="Handing one message over", every=0.02)
        handed_over = mine.values_list("handed_over_at", flat=True).get()
        assert handed_over is not None
        waits.append((handed_over - committed).total_seconds() * 1000 - latency_ms)
        time.sleep(_PAUSE)
    return spread(waits)
