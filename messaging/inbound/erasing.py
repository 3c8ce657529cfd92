"""Pictures and files that people sent: they go with the texts."""

from collections.abc import Sequence
from datetime import datetime

from integrations.organizations.models import Organization
from messaging.contacts.erasure.erasers import Person
from messaging.sending.models import Message

from .media import empty_media
from .models import MessageMedia


def forget_media(person: Person) -> int:
    """Delete what a person who is erased sent us."""
    return MessageMedia.objects.filter(message__in=person.messages).delete()[0]


def redact_media(organization: Organization, messages: Sequence[Message], before: datetime) -> None:
    """Empty the files of messages whose text has served its time; that there were some stays to be seen."""
    empty_media([message.pk for message in messages])
