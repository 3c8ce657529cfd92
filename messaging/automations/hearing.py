"""From happenings to runs: each is heard once, in the transaction that stores the runs it sets off."""

import time
from collections import defaultdict
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from messaging.happenings.models import Happening
from messaging.sending.models import Message

from .base import Start
from .flow import Flow, read
from .models import Automation, RunMessage
from .registry import trigger_of
from .starting import start_runs

log = structlog.get_logger(__name__)

_BATCH = 500
_KEPT = timedelta(days=1)


def hear_all(*, seconds: float = 20.0) -> int:
    """Hear everything that waits, for so long; return how many happenings."""
    until, heard = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        count = _hear_batch()
        heard += count
        if count < _BATCH:
            break
    return heard


def has_unheard() -> bool:
    """Tell whether anything waits to be heard."""
    return Happening.objects.filter(heard_at=None).exists()


def forget_heard() -> int:
    """Delete happenings that were heard a day ago; return how many."""
    return Happening.objects.filter(heard_at__lt=Now() - _KEPT).delete()[0]


def _hear_batch() -> int:
    with transaction.atomic():
        waiting = Happening.objects.select_for_update(skip_locked=True).filter(heard_at=None)
        batch = list(waiting.select_related("organization").order_by("id")[:_BATCH])
        if not batch:
            return 0
        _find_causes(batch)
        by_owner: dict[tuple[object, str], list[Happening]] = defaultdict(list)
        for happening in batch:
            by_owner[happening.organization_id, happening.kind].append(happening)
        live = Automation.objects.filter(
            organization__in={happening.organization_id for happening in batch}, status=Automation.Status.LIVE
        )
        for automation in live.select_related("organization", "live").order_by("pk"):
            _start(automation, by_owner)
        Happening.objects.filter(pk__in=[happening.pk for happening in batch]).update(heard_at=Now())
    return len(batch)


def _start(automation: Automation, by_owner: dict[tuple[object, str], list[Happening]]) -> None:
    """Begin what one automation begins; a fault of its trigger is its own, and stands in its list of runs."""
    flow = read(automation.live.flow) if automation.live else Flow()
    trigger = trigger_of(flow.trigger)
    if trigger is None:
        return
    of_kinds = [by_owner.get((automation.organization_id, kind), []) for kind in trigger.kinds]
    if not any(of_kinds):
        return
    try:
        with transaction.atomic():
            starts: list[Start] = []
            for heard in of_kinds:
                starts += trigger.starts(automation.organization, flow.trigger_settings, heard)
            if starts:
                start_runs(automation, starts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("trigger_failed", automation=str(automation.pk), trigger=trigger.key)
        start_runs(automation, [_not_begun(happening) for heard in of_kinds for happening in heard])


def _not_begun(happening: Happening) -> Start:
    return Start(
        key=f"h{happening.pk}",
        contact_id=happening.contact_id,
        phone=happening.phone,
        cause=happening.cause,
        reason="internal",
        detail="Something failed on our side when this was to begin. Ask whoever runs this installation to look into "
        "the worker’s log.",
    )


def _find_causes(batch: list[Happening]) -> None:
    """Name the run whose message it was that arrived, failed or was answered by an opt-out."""
    ids = {
        str(happening.data["message_id"]): happening
        for happening in batch
        if happening.cause is None and happening.data.get("message_id")
    }
    if not ids:
        return
    sent = RunMessage.objects.filter(message__in=Message.objects.filter(pk__in=list(ids), source="automation"))
    causes = {str(message_id): run_id for message_id, run_id in sent.values_list("message_id", "run_id")}
    for happening in batch:
        happening.cause = happening.cause or causes.get(str(happening.data.get("message_id", "")))
