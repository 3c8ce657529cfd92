"""The messages that a person of a portal was sent: those of this portal, and the organization's to their number.

Codes are left out. Of the organization's other messages only those count that came since the number is theirs: what a
number was sent before may have been for somebody else.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from messaging.sending.models import Message
from messaging.sending.statuses import ARRIVED, AT_TWILIO, Status

from .models import PortalText, PortalUser

PAGE = 20
_MOST_SENDINGS = 500
# What has left. The rest is still on its way, or never was.
_LEFT = ARRIVED | AT_TWILIO | {Status.UNDELIVERED, Status.UNKNOWN}
_SHOWN_PURPOSES = (Message.Purpose.TRANSACTIONAL, Message.Purpose.MARKETING, Message.Purpose.CONSENT)


# An account that ended and began again may be somebody else's, who has the number now; an invitation comes before both.
_BEFORE_IT = Q(kind__in=(PortalText.Kind.INVITATION, PortalText.Kind.REMINDER))


@dataclass(frozen=True)
class Page:
    """Messages, newest first; `next` is the id to go on from."""

    messages: Sequence[Message]
    next: uuid.UUID | None
    is_first: bool


def messages_of(user: PortalUser, *, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    """Return a page of the messages to this person: the newest, or those older than `after`."""
    since = user.number_since or user.registered_at or user.created_at
    shown = Message.objects.filter(
        organization=user.portal.organization_id,
        direction=Message.Direction.OUTBOUND,
        purpose__in=_SHOWN_PURPOSES,
        status__in=_LEFT,
    ).only("id", "body", "created_at", "handed_over_at", "redacted_at", "phone")
    if after is not None:
        shown = shown.filter(pk__lt=after)
    # Two questions, each by an index of its own; beside OR the log of the whole organization would be read.
    sendings = user.sendings.filter(_BEFORE_IT | Q(at__gte=user.registered_at or user.created_at))
    by_portal = sendings.filter(message__isnull=False).order_by("-id").values_list("message_id", flat=True)
    kinds = [shown.filter(pk__in=list(by_portal[:_MOST_SENDINGS]))]
    if user.phone:
        kinds.append(shown.filter(phone=user.phone, created_at__gte=since))
    found = {row.pk: row for rows in kinds for row in rows.order_by("-pk")[: size + 1]}
    newest = sorted(found.values(), key=lambda row: row.pk, reverse=True)
    return Page(newest[:size], newest[size - 1].pk if len(newest) > size else None, after is None)


def every_message_of(user: PortalUser) -> Iterator[Message]:
    """Yield all messages to this person, newest first."""
    page = messages_of(user, size=_MOST_SENDINGS)
    yield from page.messages
    while page.next is not None:
        page = messages_of(user, after=page.next, size=_MOST_SENDINGS)
        yield from page.messages
