"""What must happen even if every nudge was lost: rows whose time has come are found by looking."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.connections.models import Connection

from .lanes import lanes_with_work
from .models import IdempotencyKey, Message, MessageEvent
from .nudges import nudge
from .statuses import Status
from .transitions import Move, advance

_BATCH = 2000
KEYS_LIVE = timedelta(hours=24)


def release_scheduled() -> int:
    """Queue the scheduled messages whose time has come; return how many."""
    due = Message.objects.filter(status=Status.SCHEDULED, due_at__lte=Now()).values_list("pk", flat=True)
    moves = [
        Move(message_id=pk, to=Status.QUEUED, source=MessageEvent.Source.ENGINE, only_from=Status.SCHEDULED)
        for pk in due[:_BATCH]
    ]
    return len(advance(moves))


def nudge_forgotten() -> int:
    """Nudge every lane that has due messages; return how many lanes."""
    lanes = lanes_with_work()
    for lane in lanes:
        nudge(lane.connection_id, lane=lane.lane, sender=lane.sender)
    return len(lanes)


def expire_waiting() -> int:
    """Fail queued messages of connections that cannot send, once their validity has ended; return how many.

    A broken connection is the cause of its messages' end, with the code that broke it.
    """
    # By their ids: the outbox index begins with the connection, and those that can send are not looked at.
    unable = Connection.objects.exclude(status="active", organization__status="active")
    rows = unable.values_list("pk", "status", "broken_code")
    codes = {pk: code if status == Connection.Status.BROKEN else None for pk, status, code in rows}
    late = Message.objects.filter(
        Q(connection__in=list(codes)) | Q(connection=None), status=Status.QUEUED, valid_until__lte=Now()
    ).values_list("pk", "connection_id")
    moves = [
        Move(
            message_id=pk,
            to=Status.FAILED,
            source=MessageEvent.Source.ENGINE,
            error_code=codes.get(connection_id),
            reason="connection_broken" if codes.get(connection_id) else "expired",
            note="connection_broken" if codes.get(connection_id) else "expired",
            clear_error=True,
            only_from=Status.QUEUED,
        )
        for pk, connection_id in late[:_BATCH]
    ]
    return len(advance(moves))


def release_expired_leases() -> int:
    """Call messages `unknown` whose worker did not report in time: it may have posted them. Return how many."""
    lost = Message.objects.filter(status=Status.SENDING, lease_until__lt=Now()).values_list("pk", "claim_token")
    first_probe = database_now() + timedelta(seconds=settings.RECONCILE_AFTER)
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
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=database_now() - KEYS_LIVE).delete()
    return deleted
