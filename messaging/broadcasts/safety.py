"""Which messages of a broadcast may be sent again: those that surely did not arrive and that a second try can help."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.twilio.error_table import ERRORS, Retry, explain
from messaging.sending.models import Message
from messaging.sending.statuses import FAILURES, Status

from .models import Broadcast

# Ours that time or a mended connection cures. Not: opted_out, no_consent, canceled, and what nobody knows.
_SAFE_REASONS = frozenset(
    {"expired", "gave_up", "unreachable", "refused_for_now", "connection_broken", "misconfigured"}
)
_HELPED_BY = frozenset({Retry.LATER, Retry.AFTER_CHANGE})
_SAFE_CODES = sorted(code for code, entry in ERRORS.items() if entry.retry in _HELPED_BY)


@dataclass(frozen=True)
class Verdict:
    """Whether messages that failed for one cause may be sent again, and why (not), in a sentence."""

    is_safe: bool
    why: str


def verdict_on(*, status: str, code: int | None, reason: str) -> Verdict:
    """Judge a cause of failure."""
    if status == Status.BLOCKED:
        return Verdict(False, "We refused these ourselves; the same would happen again.")
    if code is None:
        if reason in _SAFE_REASONS:
            return Verdict(True, "These were never handed over.")
        return Verdict(False, "Nobody knows whether a second try would help or double a message.")
    match explain(code).retry:
        case Retry.LATER:
            return Verdict(True, "These did not arrive, and a later try may.")
        case Retry.AFTER_CHANGE:
            return Verdict(True, "These did not arrive; do first what the remedy says.")
        case Retry.NEVER:
            return Verdict(False, "These would fail again for the same cause.")
        case _:
            return Verdict(False, "Some of these may have arrived; a second one might double them.")


def safe_to_send_again(broadcast: Broadcast) -> QuerySet[Message]:
    """Return the failed messages that it is safe and useful to send again, and that no later broadcast took over."""
    by_us = Q(error_code=None, error_reason__in=_SAFE_REASONS)
    by_twilio = Q(error_code__in=_SAFE_CODES)
    taken_over = Message.objects.filter(broadcast__retry_of=broadcast, broadcast_row=OuterRef("broadcast_row"))
    return Message.objects.filter(
        by_us | by_twilio,
        broadcast=broadcast,
        status__in=_failed(FAILURES),
        needs_person=False,
    ).exclude(Exists(taken_over) | Q(body=""))  # an emptied one is of somebody who was erased, or has served its time


def _failed(statuses: Iterable[str]) -> list[str]:
    return sorted(set(statuses) - {Status.BLOCKED})
