"""Reads of the inbox: pages by key, unread first, then newest."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import BooleanField, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from integrations.organizations.models import Member, Organization
from integrations.phones import search_forms
from messaging.contacts.models import Contact
from messaging.contacts.selectors import find_contacts
from messaging.inbound.models import MessageMedia
from messaging.sending.models import Message

from .models import CannedReply, Conversation

PAGE = 50
THREAD = 50
SEARCHED_DAYS = 30
_SEARCHED_TEXTS = 50_000  # the newest so many incoming texts are searched; a flood must not make the search slow
_COUNTED = 100
_BEYOND = "({0}.is_unread, {0}.last_at, {0}.id) < (%s, %s, %s)".format("messaging_conversation")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([01])-([0-9]{1,17})-([0-9a-f-]{36})")

VIEWS = {
    "": "Open",
    "unread": "Unread",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "closed": "Closed",
}


@dataclass(frozen=True)
class Row:
    """A conversation with the contact who has the number, if any."""

    conversation: Conversation
    contact: Contact | None


@dataclass(frozen=True)
class Page:
    """Conversations, unread first, then newest; `next` is where to go on, or "" at the end."""

    rows: Sequence[Row]
    next: str
    is_first: bool


def find_conversations(member: Member, *, view: str = "", query: str = "") -> QuerySet[Conversation]:
    """Return the organization's conversations that fit: one of VIEWS, and a search through all of them."""
    organization = member.organization
    rows = Conversation.objects.filter(organization=organization).order_by("-is_unread", "-last_at", "-id")
    query = query.replace("\x00", "").strip()[:200]
    if query:
        rows = rows.filter(_fits(query, organization))
    if view == "closed":
        return rows.filter(state=Conversation.State.CLOSED)
    if not view and query:
        return rows
    rows = rows.filter(state=Conversation.State.OPEN)
    if view == "unread":
        return rows.filter(is_unread=True)
    if view == "mine":
        return rows.filter(assignee=member)
    return rows.filter(assignee=None) if view == "unassigned" else rows


def page_of(rows: QuerySet[Conversation], *, organization: Organization, after: str = "", size: int = PAGE) -> Page:
    """Return one page with the contacts: the first, or what follows the place `after`, which may be nonsense."""
    place = _read_cursor(after)
    if place is not None:
        # As rows, which the index can begin at; written out with OR it would be read from its start.
        rows = rows.filter(RawSQL(_BEYOND, place, output_field=BooleanField()))  # noqa: S611 - no text of ours or theirs
    found = list(rows.select_related("contact", "connection", "assignee__user")[: size + 1])
    shown = found[:size]
    return Page(
        rows=_with_contacts(shown, organization),
        next=_write_cursor(shown[-1]) if len(found) > size else "",
        is_first=place is None,
    )


def find_conversation(organization: Organization, conversation_id: uuid.UUID) -> Conversation | None:
    """Return one conversation with what its page shows, or None for another organization's."""
    return (
        Conversation.objects.filter(organization=organization, pk=conversation_id)
        .select_related("contact", "connection", "assignee__user", "organization")
        .first()
    )


def contact_of(conversation: Conversation) -> Contact | None:
    """Return the contact; one who was added after the last message is found by the number."""
    return (
        conversation.contact
        or Contact.objects.filter(organization_id=conversation.organization_id, phone=conversation.phone).first()
    )


@dataclass(frozen=True)
class Thread:
    """Messages oldest first; `earlier` is the id before which there are more, or None."""

    messages: Sequence[Message]
    earlier: uuid.UUID | None


def thread_of(conversation: Conversation, *, before: uuid.UUID | None = None) -> Thread:
    """Return the newest messages from and to the number, or those before one."""
    rows = Message.objects.filter(
        organization_id=conversation.organization_id, phone=conversation.phone, channel=conversation.channel
    ).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    files = MessageMedia.objects.defer("content").order_by("position")
    found = list(rows.prefetch_related(Prefetch("media", queryset=files))[: THREAD + 1])
    shown = found[:THREAD][::-1]
    return Thread(messages=shown, earlier=shown[0].pk if len(found) > THREAD else None)


def unread_rows(organization: Organization) -> QuerySet[Conversation]:
    """Return the conversations that wait to be read."""
    return Conversation.objects.filter(
        organization=organization, state=Conversation.State.OPEN, is_unread=True, muted_at=None
    )


def unread_count(organization: Organization) -> int:
    """Count the conversations that wait to be read, up to a hundred."""
    return len(unread_rows(organization).values_list("pk", flat=True)[:_COUNTED])


def newest_unread(organization: Organization) -> Conversation | None:
    """Return the conversation that was written to last among those unread."""
    return unread_rows(organization).select_related("contact").order_by("-is_unread", "-last_at", "-id").first()


def changed_since(rows: QuerySet[Conversation], *, moment: datetime) -> int:
    """Count the conversations of a list in which something came since then, up to a hundred."""
    return len(rows.filter(last_inbound_at__gt=moment).order_by().values_list("pk", flat=True)[:_COUNTED])


def members_to_assign(organization: Organization) -> list[Member]:
    """Return the members who may answer, by name."""
    members = Member.objects.filter(organization=organization).exclude(role="viewer").select_related("user")
    return sorted(members, key=lambda member: str(member.user).casefold())


def canned_replies(organization: Organization) -> QuerySet[CannedReply]:
    """Return the replies kept ready, by name."""
    return CannedReply.objects.filter(organization=organization)


def _fits(query: str, organization: Organization) -> Q:
    """Find by number, by the contact's name, or by what was written in the last days."""
    wanted = Q(last_text__icontains=query) | Q(phone__iexact=query)
    forms = search_forms(query, region=organization.default_region)
    if forms.exact:
        wanted |= Q(phone__in=forms.exact)
    if forms.suffix:
        wanted |= Q(phone__endswith=forms.suffix)
    if any(sign.isalpha() for sign in query):
        contacts = find_contacts(organization, query=query).order_by().values("phone")
        wanted |= Q(phone__in=contacts)
    since = timezone.now() - timedelta(days=SEARCHED_DAYS)
    newest = (
        Message.objects.filter(organization=organization, direction=Message.Direction.INBOUND, id__gte=_first_id(since))
        .order_by("-id")
        .values("pk")[:_SEARCHED_TEXTS]
    )
    wanted |= Q(phone__in=Message.objects.filter(pk__in=newest, body__icontains=query).values("phone"))
    return wanted


def _first_id(moment: datetime) -> uuid.UUID:
    """Return the smallest id that a row of that moment can have: ids begin with the time in milliseconds."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def _with_contacts(conversations: list[Conversation], organization: Organization) -> list[Row]:
    nameless = {row.phone for row in conversations if row.contact_id is None}
    by_phone = (
        {contact.phone: contact for contact in Contact.objects.filter(organization=organization, phone__in=nameless)}
        if nameless
        else {}
    )
    return [Row(row, row.contact or by_phone.get(row.phone)) for row in conversations]


def _write_cursor(row: Conversation) -> str:
    microseconds = (row.last_at - _EPOCH) // timedelta(microseconds=1)
    return f"{int(row.is_unread)}-{microseconds}-{row.pk}"


def _read_cursor(text: str) -> tuple[bool, datetime, uuid.UUID] | None:
    found = _CURSOR.fullmatch(text)
    if found is None:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=int(found[2]))
        return found[1] == "1", moment, uuid.UUID(found[3])
    except (ValueError, OverflowError):
        return None
