"""Apply what was stored but not applied, because the database or the process went away in between."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.db.models import F
from django.utils import timezone

from messaging.inbound.receive import receive

from .apply import apply_status
from .models import Callback

log = structlog.get_logger(__name__)
_TRIES = 5
_BATCH = 500


@shared_task(name="messaging.receipts.apply_pending")
def apply_pending() -> None:
    """Apply callbacks that were stored a moment ago and still wait; each at most five times."""
    waiting = Callback.objects.select_related("connection__organization").filter(
        outcome="", received_at__lt=timezone.now() - timedelta(seconds=3), attempts__lt=_TRIES
    )
    for callback in waiting.order_by("id")[:_BATCH]:
        Callback.objects.filter(pk=callback.pk).update(attempts=F("attempts") + 1)
        if callback.kind == Callback.Kind.INBOUND:
            receive(callback)
        else:
            apply_status(callback)
