"""What must happen even if every nudge was lost: rows whose time has come are found by looking."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.platform_sms.models import PLATFORM_SENDER

from .lanes import lanes_with_work
from .models import IdempotencyKey, Message, MessageEvent
from .nudges import nudge
from .poll import GIVEN_UP_AFTER
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
    ).values_list("pk", "connection_id", "sender")
    moves = []
    for pk, connection_id, sender in late[:_BATCH]:
        is_platform = sender == PLATFORM_SENDER  # the operator's account is the operator's affair
        code = None if is_platform else codes.get(connection_id)
        moves.append(_too_late(pk, reason="platform_unavailable" if is_platform else "", code=code))
    return len(advance(moves)) + _expire_of_suspended()


def _expire_of_suspended() -> int:
    """Fail platform SMS of suspended organizations: the connection that carries it works all the same."""
    suspended = list(Organization.objects.exclude(status=Organization.Status.ACTIVE).values_list("pk", flat=True))
    if not suspended:
        return 0
    late = Message.objects.filter(
        organization__in=suspended, sender=PLATFORM_SENDER, status=Status.QUEUED, valid_until__lte=Now()
    )
    return len(advance(_too_late(pk) for pk in late.values_list("pk", flat=True)[:_BATCH]))


def _too_late(message_id: uuid.UUID, *, reason: str = "", code: int | None = None) -> Move:
    reason = reason or ("connection_broken" if code else "expired")
    return Move(
        message_id=message_id,
        to=Status.FAILED,
        source=MessageEvent.Source.ENGINE,
        error_code=code,
        reason=reason,
        note=reason,
        clear_error=True,
        only_from=Status.QUEUED,
    )


def settle_silent() -> int:
    """Spend the credits of platform SMS that was accepted and never heard of again; return how many messages.

    Twilio has them, and whether they arrived is not to be learned any more: it is no longer asked.
    """
    silent = Message.objects.filter(
        sender=PLATFORM_SENDER, status=Status.ACCEPTED, next_check_at=None, handed_over_at__lt=Now() - GIVEN_UP_AFTER
    )
    moves = [
        Move(
            message_id=pk,
            to=Status.SENT,
            source=MessageEvent.Source.ENGINE,
            note="no news for three days",
            only_from=Status.ACCEPTED,
        )
        for pk in silent.values_list("pk", flat=True)[:_BATCH]
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
