"""One number that writes hundreds of texts a minute: kept, counted, and told of."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from integrations.organizations.models import Organization
from integrations.organizations.registry import Notice

from .arrivals import Arrival
from .models import Conversation

FLOOD = 60  # texts in a minute from one number
_TOLD_FOR = timedelta(hours=1)


def note_flood(arrival: Arrival) -> None:
    """Remember that a number floods the inbox, at every sixtieth text of the minute: one write for each is enough."""
    if arrival.in_this_minute % FLOOD == 0:
        Conversation.objects.filter(pk=arrival.conversation_id).update(flooded_at=timezone.now())


def flood_notices(organization: Organization) -> Iterator[Notice]:
    """Tell of numbers that flood the inbox and are not muted yet."""
    flooding = Conversation.objects.filter(
        organization=organization, flooded_at__gt=timezone.now() - _TOLD_FOR, muted_at=None
    ).order_by("-flooded_at")
    found = list(flooding.values_list("pk", flat=True)[:4])
    if len(found) == 1:
        yield Notice(
            kind="warning",
            text=f"One number floods the inbox: more than {FLOOD} texts in a minute. All are kept; it gets no answers.",
            link=reverse("inbox:thread", args=[found[0]]),
            link_text="Look, and mute it",
        )
    elif found:
        yield Notice(
            kind="warning",
            text=f"{'More than three' if len(found) > 3 else len(found)} numbers flood the inbox.",
            link=reverse("inbox:list"),
            link_text="Look, and mute them",
        )
