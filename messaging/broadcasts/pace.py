"""How fast a broadcast leaves, from a few samples that the feeder takes while it counts anyway."""

from datetime import datetime, timedelta

from django.utils import timezone

from .models import Broadcast

_EVERY = 3.0  # seconds between samples
_KEPT = 6
_STALE = 20.0  # seconds after which the last sample says nothing of now


def note_pace(broadcast: Broadcast, *, gone: int) -> None:
    """Keep how many messages have left the outbox by now, every few seconds."""
    now = timezone.now()
    samples = [sample for sample in broadcast.pace if sample[1] <= gone]
    if samples and (now - datetime.fromisoformat(samples[-1][0])).total_seconds() < _EVERY:
        return
    broadcast.pace = [*samples, [now.isoformat(), gone]][-_KEPT:]
    Broadcast.objects.filter(pk=broadcast.pk).update(pace=broadcast.pace)


def rate_of(broadcast: Broadcast) -> float | None:
    """Return the messages that leave in a second; None while that cannot be said."""
    if broadcast.status != Broadcast.Status.RUNNING or len(broadcast.pace) < 2:
        return None
    (first_at, first), (last_at, last) = broadcast.pace[0], broadcast.pace[-1]
    begin, end = datetime.fromisoformat(first_at), datetime.fromisoformat(last_at)
    if (timezone.now() - end).total_seconds() > _STALE or end <= begin:
        return None
    return float((last - first) / (end - begin).total_seconds())


def time_left(broadcast: Broadcast, *, to_go: int) -> timedelta | None:
    """Return how long `to_go` messages take at the present rate; None while that cannot be said."""
    rate = rate_of(broadcast)
    return timedelta(seconds=round(to_go / rate)) if rate and to_go else None
