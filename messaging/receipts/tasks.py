"""Apply what was stored: at once where a worker was woken, by the sweep where the call was lost."""

import threading
import time
from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import InterfaceError, OperationalError
from django.db.models import F, Q
from django.utils import timezone

from messaging.inbound.receive import receive

from .apply import BATCH, apply_batch
from .forget import forget_old_callbacks
from .models import Callback
from .wake import fall_asleep, stay_awake, wake

log = structlog.get_logger(__name__)
_TRIES = 5
# Callbacks gather for this long: the larger the batch, the less each of them costs.
_PAUSE = 0.1
_LINGER = 1.0  # seconds without any callback after which the worker stops looking
_LONGEST = 20.0

_wanted, _busy = threading.Event(), threading.Lock()
_stopping = threading.Event()


@shared_task(name="messaging.receipts.apply_new")
def apply_new() -> None:
    """Apply callbacks as they come, until none has come for a second; one thread of a process at a time."""
    _wanted.set()
    # Asked after each release: whoever found it busy a moment ago has only left the wish.
    while _wanted.is_set() and _busy.acquire(blocking=False):
        try:
            _wanted.clear()
            _apply_while_they_come()
        except (OperationalError, InterfaceError) as error:
            log.warning("callbacks_wait_for_database", error=type(error).__name__)
            return
        finally:
            _busy.release()


@shared_task(name="messaging.receipts.apply_pending")
def apply_pending() -> None:
    """Apply every callback that waits, those that could not be applied before included."""
    while apply_batch() == BATCH and not _stopping.is_set():
        pass
    _receive_forgotten()


@shared_task(name="messaging.receipts.clean_up")
def clean_up() -> None:
    """Forget what was dealt with long ago."""
    if forgotten := forget_old_callbacks():
        log.info("callbacks_forgotten", count=forgotten)


def _apply_while_they_come() -> None:
    began = quiet_since = time.monotonic()
    while not _stopping.is_set():
        stay_awake()
        applied, now = apply_batch(), time.monotonic()
        if applied:
            quiet_since = now
        if now - quiet_since > _LINGER or now - began > _LONGEST:
            break
        if applied < BATCH:
            time.sleep(_PAUSE)
    fall_asleep()
    if apply_batch() == BATCH:
        wake()


def _receive_forgotten() -> None:
    """Take in what people wrote where the request that stored it did not get so far.

    Each at most five times, with the pauses of status callbacks, and whatever is wrong with one holds up no other: the
    next may be a STOP.
    """
    now = timezone.now()
    is_due = Q(attempts=0, received_at__lt=now - timedelta(seconds=3))
    for attempts in range(1, _TRIES):
        is_due |= Q(attempts=attempts, received_at__lt=now - timedelta(seconds=10 * attempts**2))
    waiting = Callback.objects.select_related("connection__organization").filter(
        is_due, outcome="", kind=Callback.Kind.INBOUND
    )
    for callback in waiting.order_by("id")[:BATCH]:
        mine = Callback.objects.filter(pk=callback.pk)
        mine.update(attempts=F("attempts") + 1)
        try:
            receive(callback)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next one may be a STOP
            # The driver's text repeats values: only its kind is logged.
            is_last = callback.attempts + 1 >= _TRIES
            kind = type(error).__name__
            log.error("inbound_given_up" if is_last else "inbound_not_applied", callback=callback.pk, error=kind)
            if is_last:
                mine.update(outcome=Callback.Outcome.UNREADABLE)


@worker_shutting_down.connect
def _stop_looking(**_: Any) -> None:
    _stopping.set()
