"""What members do in a conversation: answer, hand it to somebody, set it aside."""

import re

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.audit import record
from integrations.organizations.models import Member, Organization, User
from messaging.contacts.models import Contact
from messaging.sending import outbox
from messaging.sending.idempotency import once
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem

from .display import snippet
from .models import Conversation
from .selectors import contact_of

SENTENCES = {
    "conversation.muted": "muted {which}",
    "conversation.unmuted": "ended the muting of {which}",
}
SOURCE = "inbox"
_UNFILLED = re.compile(r"\{\{\s*([^{}]{1,60}?)\s*\}\}")


def reply(conversation: Conversation, *, body: str, key: str, actor: User) -> Message:
    """Answer from the number that was written to, and return the message; the same `key` twice is one message.

    The message may come back `blocked`, where the person opted out meanwhile. Raises EnqueueProblem, and KeyReused
    for another text under the same key.
    """
    if unfilled := _UNFILLED.search(body):
        raise EnqueueProblem("missing_variables", f"Fill in {{{{ {unfilled[1]} }}}} before you send.", field="body")
    if not conversation.can_be_answered:
        raise EnqueueProblem("not_a_number", "A short code or a name takes no answer.", field="body", is_refusal=True)
    connection, sender = way_back(conversation)
    draft = Draft(
        to=conversation.phone,
        contact=contact_of(conversation),
        body=body,
        sender=sender,
        connection=connection,
        source=SOURCE,
        created_by_id=actor.pk,
    )
    with transaction.atomic():
        message, is_new = once(
            conversation.organization,
            key=f"inbox:{actor.pk}:{conversation.pk}:{key}"[:255],
            body=body,
            make=lambda: outbox.enqueue(conversation.organization, draft=draft),
        )
        if is_new:
            note_reply(conversation, message)
    return message


def way_back(conversation: Conversation) -> tuple[Connection | None, str]:
    """Return the connection and the sender of an answer; the organization's default ones where the old way is gone."""
    connection = conversation.connection
    if connection is None or connection.status == Connection.Status.DISCONNECTED:
        return None, ""
    return connection, conversation.sender


def note_reply(conversation: Conversation, message: Message) -> None:
    """Let the list show the answer; who answers has read."""
    Conversation.objects.filter(pk=conversation.pk).update(
        last_text=snippet(message.body),
        last_is_inbound=False,
        last_at=Greatest(F("last_at"), message.created_at),
        unread=0,
        state=Conversation.State.OPEN,
    )


def open_with(organization: Organization, contact: Contact) -> Conversation:
    """Return the conversation with a contact, begun where there is none."""
    conversation, _ = Conversation.objects.get_or_create(
        organization=organization,
        channel="sms",
        phone=contact.phone,
        defaults={"contact": contact, "last_is_inbound": False},
    )
    return conversation


def mark_read(conversation: Conversation) -> None:
    """Take note that somebody has read it; what comes from now on is unread again."""
    Conversation.objects.filter(pk=conversation.pk, unread__gt=0).update(unread=0)


def mark_unread(conversation: Conversation) -> None:
    """Put it back among the unread ones, open again where it was closed."""
    Conversation.objects.filter(pk=conversation.pk, unread=0).update(unread=1, state=Conversation.State.OPEN)


def close(conversation: Conversation) -> None:
    """Set it aside as done; the next message opens it again."""
    Conversation.objects.filter(pk=conversation.pk).update(state=Conversation.State.CLOSED, unread=0)


def reopen(conversation: Conversation) -> None:
    """Take it back among the open ones."""
    Conversation.objects.filter(pk=conversation.pk).update(state=Conversation.State.OPEN)


def assign(conversation: Conversation, member: Member | None) -> None:
    """Hand the conversation to a member of its organization, or to nobody."""
    if member is not None and member.organization_id != conversation.organization_id:
        raise ValueError("a member of another organization")
    Conversation.objects.filter(pk=conversation.pk).update(assignee=member)


def mute(conversation: Conversation, *, actor: User, ip: str = "") -> None:
    """Let what comes of this number be stored, but call nobody: not unread, not notified, not answered by itself."""
    _set_muted(conversation, is_muted=True, actor=actor, ip=ip)


def unmute(conversation: Conversation, *, actor: User, ip: str = "") -> None:
    """End the muting."""
    _set_muted(conversation, is_muted=False, actor=actor, ip=ip)


def _set_muted(conversation: Conversation, *, is_muted: bool, actor: User, ip: str) -> None:
    values = {"muted_at": timezone.now(), "unread": 0} if is_muted else {"muted_at": None, "flooded_at": None}
    with transaction.atomic():
        changed = Conversation.objects.filter(pk=conversation.pk, muted_at__isnull=is_muted).update(**values)
        if changed:
            action = "conversation.muted" if is_muted else "conversation.unmuted"
            record(conversation.organization, actor=actor, action=action, target=conversation, ip=ip)
