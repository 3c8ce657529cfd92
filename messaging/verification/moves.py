"""Every change of a verification's state: one conditional UPDATE each, so that of two at once one takes place."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Now

from .askers import PUBLIC
from .models import Verification
from .waiting import tell_waiters

Status = Verification.Status

CHECKS_AT_MOST = 5  # ours and Twilio's: https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts
# How many of the tries that all share who prove a number by Twilio Verify visitors of one network may take: whoever
# else asked for codes to that number leaves its owner the others.
CHECKS_OF_NETWORK = 3
SENDS_AT_MOST = 5
LIFE = timedelta(minutes=10)
NOT_DELIVERED = "not_delivered"
# Longer than a request to Twilio may take, so that a check whose process died holds the next one up no longer.
CHECK_LEASE = timedelta(seconds=20)


def end(verification: Verification, status: str, *, code: int | None = None, reason: str = "") -> bool:
    """End a pending verification; return whether this call did it. The object is fresh afterwards in either case."""
    changes: dict[str, Any] = {
        "status": status,
        "ended_at": Now(),
        "checking_until": None,
        "error_code": code,
        "error_reason": reason,
    }
    if status == Status.APPROVED:
        # Whoever entered the code has received it, whatever a carrier reports.
        changes |= {"approved_at": Now(), "delivered_at": Coalesce("delivered_at", Now()), "undelivered_at": None}
    is_done = bool(Verification.objects.filter(pk=verification.pk, status=Status.PENDING).update(**changes))
    reread(verification)
    if is_done:
        tell_waiters(verification)
    return is_done


def end_late(verification: Verification) -> bool:
    """End a verification whose time is over: as failed where none of its codes arrived, else as expired."""
    if verification.undelivered_at:
        return end(verification, Status.FAILED, code=verification.error_code, reason=NOT_DELIVERED)
    return end(verification, Status.EXPIRED, reason="expired")


def begin_check(verification: Verification) -> bool:
    """Take one of the attempts and the right to make it; False where another check is on its way, or none is left."""
    is_free = Q(checking_until=None) | Q(checking_until__lte=Now())
    rows = Verification.objects.filter(
        is_free, pk=verification.pk, status=Status.PENDING, expires_at__gt=Now(), checks__lt=CHECKS_AT_MOST
    )
    with transaction.atomic():
        if _is_shared(verification):
            # Of checks at once in many windows of one network no more pass than it may take.
            list(siblings(verification).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        if not network_checks_left(verification):
            return False
        return bool(rows.update(checks=F("checks") + 1, checking_until=Now() + CHECK_LEASE))


def finish_check(verification: Verification, *, counts: bool = True) -> None:
    """Let others check again; an attempt that surely was none is given back."""
    rows = Verification.objects.filter(pk=verification.pk, status=Status.PENDING)
    rows.update(checking_until=None, **({} if counts else {"checks": F("checks") - 1}))
    reread(verification)


def attempts_left(verification: Verification) -> int:
    """Return how many codes may still be tried; with Twilio Verify all that share its verification count."""
    if verification.status != Status.PENDING:
        return 0
    used = verification.checks
    if verification.provider_sid:
        used = siblings(verification).aggregate(used=Sum("checks"))["used"] or used
    return min(max(0, CHECKS_AT_MOST - used), network_checks_left(verification))


def network_checks_left(verification: Verification) -> int:
    """Return how many tries visitors of this one's network have left; all, where tries are not shared or not public."""
    if not _is_shared(verification):
        return CHECKS_AT_MOST
    rows = siblings(verification).filter(network=verification.network, asker_kind__in=PUBLIC)
    return max(0, CHECKS_OF_NETWORK - (rows.aggregate(used=Sum("checks"))["used"] or 0))


def _is_shared(verification: Verification) -> bool:
    return verification.backend == Verification.Backend.VERIFY and verification.asker_kind in PUBLIC


def siblings(verification: Verification) -> Any:
    """Return the organization's verifications that share Twilio's one, itself among them."""
    ours = Verification.objects.filter(organization=verification.organization_id)
    if not verification.provider_sid:
        return ours.filter(pk=verification.pk)
    return ours.filter(provider_sid=verification.provider_sid)


def has_siblings(verification: Verification) -> bool:
    """Tell whether another one shares Twilio's verification."""
    return bool(siblings(verification).exclude(pk=verification.pk).exists())


def take_back_send(verification: Verification, *, wait: int) -> None:
    """Undo that a further code was sent, which surely it was not; the next may be asked for after `wait` seconds."""
    last = verification.attempts.exclude(outcome="refused").last()
    Verification.objects.filter(pk=verification.pk, status=Status.PENDING).update(
        sends=F("sends") - 1,
        resend_after=Now() + timedelta(seconds=wait),
        channel=last.channel if last else verification.channel,
    )
    reread(verification)


def expire_due(*, most: int = 5000) -> int:
    """End what was not approved in time; return how many. Where none of the codes arrived it has failed."""
    due = Verification.objects.filter(status=Status.PENDING, expires_at__lte=Now()).values("pk")[:most]
    is_lost = Q(undelivered_at__isnull=False)
    return Verification.objects.filter(pk__in=due, status=Status.PENDING).update(
        status=Case(When(is_lost, then=Value(Status.FAILED.value)), default=Value(Status.EXPIRED.value)),
        error_reason=Case(When(is_lost, then=Value(NOT_DELIVERED)), default=Value("expired")),
        ended_at=Now(),
        checking_until=None,
    )


def reread(verification: Verification) -> None:
    """Bring the object up to date; its organization and connection stay the objects they are."""
    verification.refresh_from_db(fields=_CHANGING)


_CHANGING = [
    "status", "channel", "provider_sid", "code_hash", "sends", "checks", "error_code", "error_reason", "checking_until",
    "expires_at", "resend_after", "delivered_at", "undelivered_at", "approved_at", "ended_at",
]  # fmt: skip
