"""One number that writes hundreds of texts a minute: kept, counted, and told of."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from .arrivals import Arrival
from .models import Conversation

FLOOD = 60  # texts in a minute from one number
_TOLD_FOR = timedelta(hours=1)


def note_flood(arrival: Arrival) -> None:
    """Remember that a number floods the inbox, at every sixtieth text of the minute: one write for each is enough."""
    if arrival.in_this_minute % FLOOD == 0:
        Conversation.objects.filter(pk=arrival.conversation_id).update(flooded_at=timezone.now())


def flooding_conversations() -> QuerySet[Conversation]:
    """Return those of all organizations whose number wrote too much within the last hour and is not muted."""
    return Conversation.objects.filter(flooded_at__gt=timezone.now() - _TOLD_FOR, muted_at=None).order_by("-flooded_at")
