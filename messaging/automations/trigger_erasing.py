"""What triggers have to forget of a person who is erased: payloads that name one of their numbers."""

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from messaging.contacts.erasure.erasers import Person

from .trigger_models import HookSample, SeenEvent


def forget_samples(person: Person) -> int:
    """Delete the samples of webhooks, and empty those of events, in which one of the numbers stands."""
    if not person.phones:
        return 0
    # With or without +: systems write both.
    named = Q()
    for phone in person.phones:
        named |= Q(text__contains=phone.removeprefix("+"))
    samples = HookSample.objects.alias(text=Cast("payload", TextField())).filter(
        named, hook__organization=person.organization
    )
    events = SeenEvent.objects.alias(text=Cast("sample", TextField())).filter(named, organization=person.organization)
    return samples.delete()[0] + events.update(sample={})
