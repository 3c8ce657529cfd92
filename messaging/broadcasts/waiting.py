"""What waits in the outbox of a broadcast: held while it is paused, let go when it goes on, canceled with it.

Each of these may be interrupted and repeated: the feeder looks every second for what was overlooked, such as a message
that Twilio refused for the moment and that came back to the queue after the broadcast was paused or canceled.
"""

import uuid
from datetime import timedelta

from django.db import transaction

from messaging.sending import holding
from messaging.sending.models import Message, MessageEvent
from messaging.sending.nudges import nudge
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance

from .models import Broadcast

# Longer than a single message's: it outlasts a night of quiet hours and a slow sender's queue.
VALIDITY = timedelta(hours=24)
_BATCH = 1000


def hold(broadcast: Broadcast) -> int:
    """Hold what waits; return how many messages."""
    return holding.hold(broadcast.pk)


def release(broadcast: Broadcast) -> int:
    """Let go what was held; return how many messages."""
    released = holding.release(broadcast.pk, validity=VALIDITY)
    if released and (connection_id := broadcast.connection_id):
        sender = broadcast.sender
        transaction.on_commit(lambda: nudge(connection_id, lane=Message.Lane.BULK, sender=sender) and None)
    return released


def cancel(broadcast: Broadcast, *, by: str = "", most: int = 10_000) -> int:
    """Cancel what waits; return how many messages. What was claimed meanwhile goes out and is counted as sent."""
    canceled = 0
    while canceled < most:
        with transaction.atomic():
            waiting = Message.objects.filter(broadcast=broadcast, status=Status.QUEUED).order_by("due_at")
            ids = list(waiting.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:_BATCH])
            moved = len(advance(_cancellation(pk, by=by) for pk in ids))
        canceled += moved
        if not moved:
            break
    return canceled


def _cancellation(pk: uuid.UUID, *, by: str) -> Move:
    return Move(
        message_id=pk,
        to=Status.CANCELED,
        source=MessageEvent.Source.MEMBER if by else MessageEvent.Source.ENGINE,
        reason="canceled",
        note=f"the broadcast was canceled by {by}"[:200] if by else "the broadcast was canceled",
        only_from=Status.QUEUED,
    )
