"""How far a broadcast is: counted from its messages and from the rows that are none yet."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q

from messaging.sending.models import Message
from messaging.sending.statuses import ARRIVED, AT_TWILIO, IN_FLIGHT, WAITING, Status

from .models import Broadcast
from .pace import rate_of, time_left


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The people of a broadcast, each in exactly one of the counts; `total` is all that the check found ready."""

    total: int
    waiting: int  # rows that are no messages yet, and messages in the queue
    under_way: int  # being handed over, or the answer is not known yet
    at_twilio: int
    delivered: int
    undelivered: int
    failed: int
    blocked: int
    canceled: int
    flagged: int  # nobody knows; a person must look
    rate: float | None = None
    time_left: timedelta | None = None

    @property
    def handed_over(self) -> int:
        return self.at_twilio + self.delivered + self.undelivered

    @property
    def settled(self) -> int:
        """How many there is nothing left to do for."""
        return self.total - self.waiting - self.under_way

    @property
    def percent(self) -> int:
        if not self.total:
            return 100
        return self.settled * 100 // self.total

    @property
    def not_delivered(self) -> int:
        return self.undelivered + self.failed + self.blocked


def progress_of(broadcast: Broadcast) -> Progress:
    """Count where the people of a broadcast stand; one read."""
    return progress_of_many([broadcast])[broadcast.pk]


def progress_of_many(broadcasts: Sequence[Broadcast]) -> dict[uuid.UUID, Progress]:
    """Count where the people of several broadcasts stand; one read for all."""
    rows = (
        Message.objects.filter(broadcast__in=[broadcast.pk for broadcast in broadcasts])
        .order_by()
        .values_list("broadcast", "status")
        .annotate(count=Count("id"), flagged=Count("id", filter=Q(needs_person=True, status=Status.UNKNOWN)))
    )
    by_status: dict[uuid.UUID, Counter[str]] = {broadcast.pk: Counter() for broadcast in broadcasts}
    flagged: Counter[uuid.UUID] = Counter()
    for key, status, count, needing in rows:
        by_status[key][status] = count
        flagged[key] += needing
    return {
        broadcast.pk: _progress(broadcast, by_status[broadcast.pk], flagged=flagged[broadcast.pk])
        for broadcast in broadcasts
    }


def _progress(broadcast: Broadcast, by_status: Counter[str], *, flagged: int) -> Progress:
    def among(*statuses: str) -> int:
        return sum(by_status[status] for status in statuses)

    unfed = max(0, broadcast.ready_count - by_status.total())
    is_canceled = broadcast.status == Broadcast.Status.CANCELED
    waiting = among(*WAITING) + (0 if is_canceled else unfed)
    return Progress(
        total=broadcast.ready_count,
        waiting=waiting,
        under_way=among(*IN_FLIGHT) - flagged,
        at_twilio=among(*AT_TWILIO),
        delivered=among(*ARRIVED),
        undelivered=among(Status.UNDELIVERED),
        failed=among(Status.FAILED),
        blocked=among(Status.BLOCKED),
        canceled=among(Status.CANCELED) + (unfed if is_canceled else 0),
        flagged=flagged,
        rate=rate_of(broadcast),
        time_left=time_left(broadcast, to_go=waiting),
    )
