"""Celery's side of the limits: forget what no count needs any more."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.db.models.functions import Now

from .limit_models import LimitCount, PausedPrefix, SpentProof

# What names a person is kept as long as it counts; what tells what is usual, for a month.
_PERSONAL = ("number", "number_day", "spare", "pair", "device", "ip", "network", "address")
_PERSONAL_KEPT, _KEPT, _PAUSES_KEPT = timedelta(days=3), timedelta(days=30), timedelta(days=90)
_AT_ONCE = 20_000


@shared_task(name="messaging.verification.forget_limits")
def forget() -> None:
    """Delete counts that have faded, proofs that expired, and pauses long over."""
    faded = Q(scope__in=_PERSONAL, at__lt=Now() - _PERSONAL_KEPT) | Q(at__lt=Now() - _KEPT)
    while LimitCount.objects.filter(pk__in=LimitCount.objects.filter(faded).values("pk")[:_AT_ONCE]).delete()[0]:
        pass
    SpentProof.objects.filter(expires_at__lt=Now()).delete()
    PausedPrefix.objects.filter(until__lt=Now() - _PAUSES_KEPT).delete()
