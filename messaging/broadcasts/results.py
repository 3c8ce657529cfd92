"""What became of a broadcast: failures by cause with their remedy, what it cost, and who may be written to again."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Max, Sum

from messaging.sending.models import Message
from messaging.sending.reasons import Reason, own_reason, reason_for
from messaging.sending.statuses import FAILURES, Status

from .models import Broadcast
from .safety import Verdict, safe_to_send_again, verdict_on


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Messages that failed alike. `key` names the group in addresses; `cost` is what they were charged."""

    key: str
    status: str
    reason: Reason
    count: int
    cost: Decimal | None
    unit: str
    verdict: Verdict


@dataclass(frozen=True)
class Cost:
    """What Twilio charged so far, in one currency; `priced` messages have a price, of `of` that were handed over."""

    total: Decimal
    unit: str
    priced: int
    of: int


def causes_of(broadcast: Broadcast) -> list[Cause]:
    """Return the failures by cause, the most frequent first, and those nobody knows of at the end."""
    failed = (
        Message.objects.filter(broadcast=broadcast, status__in=sorted(FAILURES))
        .order_by()
        .values_list("status", "error_code", "error_reason")
        .annotate(count=Count("id"), cost=Sum("price"), unit=Max("price_unit"))
    )
    causes: dict[str, Cause] = {}
    for status, code, reason, count, cost, unit in failed:
        key = f"{status}:{code or reason or 'none'}"
        known = causes.get(key)
        causes[key] = Cause(
            key=key,
            status=status,
            reason=reason_for(code=code, reason=reason) or own_reason("no_cause"),
            count=count + (known.count if known else 0),
            cost=_sum(cost, known.cost if known else None),
            unit=unit or (known.unit if known else ""),
            verdict=verdict_on(status=status, code=code, reason=reason),
        )
    ordered = sorted(causes.values(), key=lambda cause: (-cause.count, cause.key))
    flagged = Message.objects.filter(broadcast=broadcast, status=Status.UNKNOWN, needs_person=True).count()
    if flagged:
        why = Verdict(False, "Twilio may have these; a second one might double them.")
        ordered.append(
            Cause(key="unknown:flagged", status=Status.UNKNOWN, reason=own_reason("flagged"), count=flagged,
                  cost=None, unit="", verdict=why)
        )  # fmt: skip
    return ordered


def cost_of(broadcast: Broadcast) -> list[Cost]:
    """Return what the broadcast cost so far, by currency; empty while Twilio has named no price."""
    handed_over = Message.objects.filter(broadcast=broadcast, handed_over_at__isnull=False)
    rows = (
        handed_over.filter(price__isnull=False)
        .order_by()
        .values_list("price_unit")
        .annotate(total=Sum("price"), priced=Count("id"))
    )
    priced = list(rows)
    count = handed_over.count() if priced else 0
    return [Cost(total, unit, number, count) for unit, total, number in priced]


def safe_count(broadcast: Broadcast) -> int:
    """Count the failures that may be sent again."""
    return safe_to_send_again(broadcast).count()


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return one if other is None else other if one is None else one + other
