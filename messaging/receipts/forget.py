"""Forget old callbacks: raw webhooks hold numbers and texts, and there are three or more of every message."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from .models import Callback

_BATCH = 5_000


def forget_old_callbacks() -> int:
    """Delete what was dealt with more than CALLBACKS_KEPT_DAYS ago, a batch at a time; return how many.

    By id, which grows with time: there is no index on the date, and with one the daily look would be as long.
    """
    before = timezone.now() - timedelta(days=settings.CALLBACKS_KEPT_DAYS)
    last, forgotten = 0, 0
    while True:
        oldest = list(Callback.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "received_at")[:_BATCH])
        if not oldest or oldest[0][1] >= before:
            return forgotten
        first, last = oldest[0][0], oldest[-1][0]
        dealt_with = Callback.objects.filter(pk__range=(first, last), received_at__lt=before)
        deleted, _ = dealt_with.exclude(outcome=Callback.Outcome.PENDING).delete()
        forgotten += deleted
