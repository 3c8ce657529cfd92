"""How far a broadcast is: counted from its messages and from the rows that are none yet."""

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
    rows = (
        Message.objects.filter(broadcast=broadcast)
        .order_by()
        .values_list("status")
        .annotate(count=Count("id"), flagged=Count("id", filter=Q(needs_person=True)))
    )
    by_status: dict[str, int] = {}
    flagged = 0
    for status, count, needing in rows:
        by_status[status] = count
        flagged += needing if status == Status.UNKNOWN else 0

    def among(*statuses: str) -> int:
        return sum(by_status.get(status, 0) for status in statuses)

    unfed = max(0, broadcast.ready_count - sum(by_status.values()))
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
