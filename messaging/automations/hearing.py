"""From happenings to runs: each is heard once, in the transaction that stores the runs it sets off."""

import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from messaging.happenings.models import Happening, Listener

from .base import Start
from .flow import Flow, read
from .models import Automation, RunMessage, RunStep
from .registry import cause_finders, trigger_of
from .starting import BROKEN, start_runs

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
        # Their organizations stay free: whoever writes anything there holds those rows, and all would be skipped.
        waiting = Happening.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(heard_at=None)
        batch = list(waiting.select_related("organization").order_by("id")[:_BATCH])
        if not batch:
            return 0
        _find_causes(batch)
        listens = _listeners_of(batch)
        live = Automation.objects.filter(pk__in=listens, status=Automation.Status.LIVE)
        for automation in live.select_related("organization", "live").order_by("pk"):
            wanted = listens[automation.pk]
            _start(automation, [one for one in batch if (one.organization_id, one.kind) in wanted])
        Happening.objects.filter(pk__in=[happening.pk for happening in batch]).update(heard_at=Now())
    return len(batch)


def _listeners_of(batch: list[Happening]) -> dict[uuid.UUID, set[tuple[uuid.UUID, str]]]:
    """Return who listens to something of a batch: to what of which organization."""
    rows = Listener.objects.filter(
        organization__in={happening.organization_id for happening in batch}, kind__in={one.kind for one in batch}
    )
    found: dict[uuid.UUID, set[tuple[uuid.UUID, str]]] = defaultdict(set)
    for owner, organization_id, kind in rows.values_list("owner", "organization", "kind"):
        found[owner].add((organization_id, kind))
    return found


def _start(automation: Automation, heard: Sequence[Happening]) -> None:
    """Begin what an automation makes of what happened; what it cannot take in is written down, and harms no other."""
    try:
        with transaction.atomic():
            flow = read(automation.live.flow) if automation.live else Flow()
            trigger = trigger_of(flow.trigger)
            if trigger is None:
                return
            fit = [one for one in heard if one.kind in trigger.kinds]
            starts = list(trigger.starts(automation.organization, flow.trigger_settings, fit))
            if starts:
                start_runs(automation, starts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(heard) > 1:
            for one in heard:
                _start(automation, [one])
            return
        log.exception("not_heard", automation=str(automation.pk))
        start_runs(automation, [Start.after(one, reason="internal", detail=BROKEN) for one in heard])


def _find_causes(batch: list[Happening]) -> None:
    """Name the run whose message it was that arrived, failed or was answered by an opt-out."""
    ids = {
        str(happening.data["message_id"]): happening
        for happening in batch
        if happening.cause is None and happening.data.get("message_id")
    }
    if not ids:
        return
    sent = RunMessage.objects.filter(message__in=list(ids))
    causes = {str(message_id): run_id for message_id, run_id in sent.values_list("message_id", "run_id")}
    # What a step had a wing above send has that wing's word for it.
    steps = {str(message): step for find in cause_finders() for message, step in find(list(ids)).items()}
    runs = dict(RunStep.objects.filter(pk__in=steps.values()).values_list("pk", "run_id")) if steps else {}
    causes |= {message: runs[step] for message, step in steps.items() if step in runs}
    for happening in batch:
        happening.cause = happening.cause or causes.get(str(happening.data.get("message_id", "")))
