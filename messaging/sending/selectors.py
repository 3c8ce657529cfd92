"""Reads of the message log: pages by key, never by offset, so that page one thousand costs what page one does."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.functions import Reverse

from integrations.organizations.models import Organization
from integrations.phones import search_forms

from .models import Message
from .statuses import Status

PAGE = 50
_SID_LENGTH = 34


@dataclass(frozen=True, kw_only=True)
class LogFilter:
    """What the log is narrowed to; every field may be empty. Dates are days of the organization's time zone."""

    query: str = ""
    status: str = ""
    direction: str = ""
    template: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        return not any((self.query, self.status, self.direction, self.template, self.since, self.until))


@dataclass(frozen=True)
class Page:
    """Messages newest first; `next` and `previous` are the ids to go on from, or None."""

    messages: Sequence[Message]
    next: uuid.UUID | None
    is_first: bool


def message_log(organization: Organization, *, wanted: LogFilter) -> QuerySet[Message]:
    """Return the organization's messages that fit, newest first.

    Ids grow with time, and reading by them from the newest on serves every filter but one: where the range of days has
    an end, everything after it would be read first. There the messages are in the order of their time.
    """
    rows = Message.objects.filter(organization=organization).order_by("-id")
    if wanted.until:
        rows = rows.order_by("-created_at", "-id")
    if wanted.query.strip():
        rows = rows.alias(backwards=Reverse("phone")).filter(_query(wanted.query.strip(), organization))
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.direction:
        rows = rows.filter(direction=wanted.direction)
    if wanted.template:
        rows = rows.filter(template_id=wanted.template)
    zone = ZoneInfo(organization.time_zone)
    if wanted.since:
        rows = rows.filter(created_at__gte=datetime.combine(wanted.since, time.min, zone))
    if wanted.until:
        rows = rows.filter(created_at__lte=datetime.combine(wanted.until, time.max, zone))
    return rows


def page_of(rows: QuerySet[Message], *, after: uuid.UUID | None = None, size: int = PAGE) -> Page:
    """Return one page: the newest, or those older than the message `after`."""
    if after is not None:
        rows = rows.filter(_older_than(after) if rows.query.order_by[0] == "-created_at" else Q(id__lt=after))
    found = list(rows.select_related("contact", "connection", "template")[: size + 1])
    return Page(messages=found[:size], next=found[size - 1].pk if len(found) > size else None, is_first=after is None)


def _older_than(message_id: uuid.UUID) -> Q:
    at = Message.objects.filter(pk=message_id).values_list("created_at", flat=True).first()
    if at is None:
        return Q(id__lt=message_id)
    # The first condition is what the index can use.
    return Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__lt=message_id))


def newer_than(rows: QuerySet[Message], *, newest: uuid.UUID | None, most: int = 100) -> int:
    """Count the messages that came after the one on top, up to `most`."""
    if newest is not None:
        rows = rows.filter(id__gt=newest)
    return len(rows.values_list("id", flat=True)[:most])


def find_message(organization: Organization, message_id: uuid.UUID) -> Message | None:
    """Return one message with what its page shows, or None for another organization's."""
    return (
        Message.objects.filter(organization=organization, pk=message_id)
        .select_related("contact", "connection", "template", "template_version", "organization", "broadcast")
        .first()
    )


def _query(text: str, organization: Organization) -> Q:
    """Find by SID, else by number: whole in any writing, or by its last digits."""
    if len(text) == _SID_LENGTH and text[:2].upper() in {"SM", "MM"}:
        return Q(provider_sid=text[:2].upper() + text[2:].lower()) & ~Q(route="platform")
    forms = search_forms(text, region=organization.default_region)
    wanted = Q(pk__in=[])
    if forms.exact:
        wanted |= Q(phone__in=forms.exact)
    if forms.suffix:
        # By the index on the reversed number. Not as a sub-query of ids: beside OR that reads the whole log.
        wanted |= Q(backwards__startswith=forms.suffix[::-1])
    return wanted


def waiting_count(organization: Organization) -> int:
    """Count the messages that wait in the queue, up to a thousand."""
    return len(
        Message.objects.filter(organization=organization, status=Status.QUEUED).values_list("pk", flat=True)[:1000]
    )
