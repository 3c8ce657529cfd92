"""What the inbox has to forget of a person who is erased."""

from collections.abc import Sequence
from datetime import datetime

from integrations.organizations.models import Organization
from messaging.contacts.erasure.erasers import Person
from messaging.sending.models import Message

from .models import Conversation, RuleAnswer


def forget_conversations(person: Person) -> int:
    """Delete the conversations, whose texts are the messages', which are emptied; and when rules answered last."""
    RuleAnswer.objects.filter(rule__organization=person.organization, phone__in=person.phones).delete()
    theirs = Conversation.objects.filter(organization=person.organization)
    return (theirs.filter(phone__in=person.phones) | theirs.filter(contact=person.contact_id)).delete()[0]


def redact_conversations(organization: Organization, messages: Sequence[Message], before: datetime) -> None:
    """Take the last text from conversations whose last message is among those that were emptied."""
    phones = {message.phone for message in messages}
    rows = Conversation.objects.filter(organization=organization, phone__in=phones, last_at__lt=before)
    rows.exclude(last_text="").update(last_text="")
