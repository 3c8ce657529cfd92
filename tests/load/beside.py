"""A single message while a large broadcast runs: from its commit until Twilio has it."""

import time
from typing import Any

from django.db import connection as database
from django.utils import timezone

from integrations.identifiers import new_id
from messaging.broadcasts import lifecycle
from messaging.broadcasts.models import Broadcast
from messaging.broadcasts.wake import wake_feeder
from messaging.sending.models import Message
from messaging.sending.statuses import Status
from tests.load.rows import Customer
from tests.load.servers import Installation
from tests.load.single import send_singles

_RECIPIENTS = """
INSERT INTO messaging_recipient (broadcast_id, row, phone, region, variables, body, encoding, segments, state, reason,
    problem, field, typed, time_zones)
SELECT %(broadcast)s, n, '+49157' || lpad(n::text, 8, '0'), 'DE', '{}', 'Our summer sale begins, ' || n, 'GSM-7', 1,
    'ready', '', '', '', '', ''
FROM generate_series(1, %(count)s) AS n
"""


def start_broadcast(customer: Customer, *, count: int) -> Broadcast:
    """Start a broadcast whose rows are checked already, through the connection without callbacks."""
    broadcast = Broadcast.objects.create(
        id=new_id(),
        organization=customer.organization,
        name="Benchmark",
        body="Our summer sale begins",
        connection=customer.quiet,
        sender=customer.quiet.sends_as,
        audience=Broadcast.Audience.API,
        status=Broadcast.Status.RUNNING,
        ready_count=count,
        checked_at=timezone.now(),
        started_at=timezone.now(),
    )
    with database.cursor() as cursor:
        cursor.execute(_RECIPIENTS, {"broadcast": broadcast.pk, "count": count})
        cursor.execute("ANALYZE messaging_recipient")
    wake_feeder()
    return broadcast


def measure_beside_broadcast(
    place: Installation, *, customer: Customer, count: int, recipients: int, latency_ms: int
) -> dict[str, Any]:
    """Send single messages while the broadcast is under way; what is left of it afterwards is canceled."""
    broadcast = start_broadcast(customer, count=recipients)
    handed_over = Message.objects.filter(broadcast=broadcast, handed_over_at__isnull=False)

    def is_under_way() -> bool:
        broadcast.refresh_from_db()
        if broadcast.status not in {Broadcast.Status.RUNNING, Broadcast.Status.DONE}:
            raise RuntimeError(f"The broadcast is {broadcast.status}: {broadcast.paused_detail}")
        return handed_over[:200].count() >= 200

    place.wait_until(is_under_way, seconds=60, what="The broadcast")
    began, before = time.monotonic(), handed_over.count()
    waits = send_singles(place, customer=customer, count=count, latency_ms=latency_ms)
    seconds, after = time.monotonic() - began, handed_over.count()
    broadcast.refresh_from_db()
    was_running = broadcast.status == Broadcast.Status.RUNNING
    if was_running:
        lifecycle.cancel(broadcast, actor="benchmark")
    under_way = Message.objects.filter(broadcast=broadcast, status__in=[Status.QUEUED, Status.SENDING])
    place.wait_until(lambda: not under_way.exists(), seconds=120, what="The end of the broadcast")
    return {
        "messages": count,
        "recipients": recipients,
        "broadcast_per_second": round((after - before) / seconds, 1),
        "was_running_all_along": was_running,
        "ms_beside_latency": waits,
    }
