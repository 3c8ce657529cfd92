"""Reads of broadcasts: pages by key, newest first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from integrations.organizations.models import Organization, as_uuid
from messaging.sending.models import Message

from .models import Broadcast, Recipient

PAGE = 50
FIRST_PROBLEMS = 20


@dataclass(frozen=True)
class Page:
    """Broadcasts newest first; `next` is the id to go on from, or None."""

    broadcasts: Sequence[Broadcast]
    next: uuid.UUID | None
    is_first: bool


def find_broadcasts(organization: Organization, *, query: str = "", status: str = "") -> QuerySet[Broadcast]:
    """Return the organization's broadcasts whose names fit, newest first."""
    rows = Broadcast.objects.filter(organization=organization).order_by("-id")
    for word in query.replace("\x00", "").split()[:6]:
        rows = rows.filter(name__icontains=word)
    return rows.filter(status=status) if status else rows


def page_of(rows: QuerySet[Broadcast], *, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    """Return one page: the newest, or those older than the broadcast `after`."""
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None, is_first=after is None)


def find_broadcast(organization: Organization, broadcast_id: object) -> Broadcast | None:
    """Return the organization's broadcast of that id with what its page shows; None for another one's."""
    key = as_uuid(broadcast_id)
    if key is None:
        return None
    return (
        Broadcast.objects.filter(organization=organization, pk=key)
        .select_related("organization", "connection", "template", "template_version", "retry_of")
        .first()
    )


def problem_rows(broadcast: Broadcast) -> QuerySet[Recipient]:
    """Return the wrong rows in the order of the source."""
    return Recipient.objects.filter(broadcast=broadcast, state=Recipient.State.BAD).order_by("row")


def samples_of(broadcast: Broadcast) -> list[Recipient]:
    """Return the first, the shortest and the longest text of a checked broadcast, each row once."""
    rows = broadcast.summary.get("samples", [])
    found = {entry.row: entry for entry in Recipient.objects.filter(broadcast=broadcast, row__in=rows)}
    return [found[row] for row in rows if row in found]


@dataclass(frozen=True)
class RowsPage:
    """Rows of a broadcast; `next` is the row to go on from, or None."""

    rows: Sequence[Recipient]
    next: int | None


def rows_page(rows: QuerySet[Recipient], *, after: int = 0, size: int = PAGE) -> RowsPage:
    """Return recipients behind a row, by their rows."""
    found = list(rows.filter(row__gt=after).select_related("contact").order_by("row")[: size + 1])
    return RowsPage(found[:size], found[size - 1].row if len(found) > size else None)


def left_out_rows(broadcast: Broadcast, *, reason: str = "") -> QuerySet[Recipient]:
    """Return who was left out, for one reason or all."""
    rows = Recipient.objects.filter(broadcast=broadcast, state=Recipient.State.LEFT_OUT)
    return rows.filter(reason=reason) if reason else rows


def failed_messages(broadcast: Broadcast, *, key: str) -> QuerySet[Message]:
    """Return the messages of one group of failures, as `results.Cause.key` names it."""
    status, _, cause = key.partition(":")
    rows = Message.objects.filter(broadcast=broadcast, status=status)
    if cause == "flagged":
        return rows.filter(needs_person=True)
    if cause.isdecimal() and len(cause) < 9:
        return rows.filter(error_code=int(cause))
    return rows.filter(error_code=None, error_reason="" if cause == "none" else cause)
