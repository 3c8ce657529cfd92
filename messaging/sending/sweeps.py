"""What must happen even if every nudge was lost: rows whose time has come are found by looking."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from integrations.connections.models import Connection

from .models import IdempotencyKey, Message, MessageEvent
from .nudges import nudge
from .statuses import Status
from .transitions import Move, advance

_BATCH = 2000
KEYS_LIVE = timedelta(hours=24)

# ORDER and LIMIT make it one look into the index for each lane; EXISTS would read all queued rows, every two seconds.
_LANES_WITH_WORK = """
SELECT c.id, l.lane FROM integrations_connection c CROSS JOIN (VALUES (0), (1)) AS l(lane)
CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m
    WHERE m.connection_id = c.id AND m.lane = l.lane AND m.status = 'queued' AND m.due_at <= now()
    ORDER BY m.due_at LIMIT 1
) AS due
WHERE c.status = 'active'
"""


def release_scheduled() -> int:
    """Queue the scheduled messages whose time has come; return how many."""
    due = Message.objects.filter(status=Status.SCHEDULED, due_at__lte=timezone.now()).values_list("pk", flat=True)
    moves = [
        Move(message_id=pk, to=Status.QUEUED, source=MessageEvent.Source.ENGINE, only_from=Status.SCHEDULED)
        for pk in due[:_BATCH]
    ]
    return len(advance(moves))


def nudge_forgotten() -> int:
    """Nudge every lane that has due messages; return how many lanes."""
    with connection.cursor() as cursor:
        cursor.execute(_LANES_WITH_WORK)
        lanes = cursor.fetchall()
    for connection_id, lane in lanes:
        nudge(connection_id, lane=lane)
    return len(lanes)


def expire_waiting() -> int:
    """Fail queued messages of connections that cannot send, once their validity has ended; return how many."""
    # By their ids: the outbox index begins with the connection, and those that can send are not looked at.
    unable = Connection.objects.exclude(status="active", organization__status="active").values_list("pk", flat=True)
    late = Message.objects.filter(
        Q(connection__in=list(unable)) | Q(connection=None), status=Status.QUEUED, valid_until__lte=timezone.now()
    ).values_list("pk", flat=True)
    moves = [
        Move(
            message_id=pk,
            to=Status.FAILED,
            source=MessageEvent.Source.ENGINE,
            reason="expired",
            note="expired",
            only_from=Status.QUEUED,
        )
        for pk in late[:_BATCH]
    ]
    return len(advance(moves))


def release_expired_leases() -> int:
    """Call messages `unknown` whose worker did not report in time: it may have posted them. Return how many."""
    lost = Message.objects.filter(status=Status.SENDING, lease_until__lt=timezone.now()).values_list(
        "pk", "claim_token"
    )
    first_probe = timezone.now() + timedelta(seconds=settings.RECONCILE_AFTER)
    moves = [
        Move(
            message_id=pk,
            to=Status.UNKNOWN,
            source=MessageEvent.Source.ENGINE,
            reason="outcome_unknown",
            note="the worker did not report",
            clear_error=True,
            claim_token=token,
            next_check_at=first_probe,
        )
        for pk, token in lost[:_BATCH]
    ]
    return len(advance(moves))


def forget_old_keys() -> int:
    """Delete idempotency keys whose 24 hours are over; return how many."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEYS_LIVE).delete()
    return deleted
