"""What opt-outs and the ledger of consent keep of a person who is erased: everything but whose it is."""

from django.utils import timezone

from messaging.contacts.erasure.erasers import Person

from .ledger import erase_phone
from .models import OptOut, UnsubscribeLink
from .opt_outs import BY_THE_PERSON


def forget_opt_outs(person: Person) -> int:
    """Put the keys in the place of the numbers; what is in force stays in force."""
    changed = 0
    for phone, key in person.keys.items():
        rows = OptOut.objects.filter(organization=person.organization, phone=phone)
        standing = OptOut.objects.filter(organization=person.organization, phone=key, ended_at=None)
        for known in standing:
            # Erased before, and come back meanwhile: one of two equal opt-outs in force is enough.
            same = {"channel": known.channel, "scope": known.scope, "sender": known.sender}
            newer = rows.filter(**same, ended_at=None)
            if known.source not in BY_THE_PERSON and newer.filter(source__in=BY_THE_PERSON).exists():
                # What the person said outranks what a member wrote down and could end.
                newer = OptOut.objects.filter(pk=known.pk)
            newer.update(ended_at=timezone.now(), ended_by=known.source)
        changed += rows.update(phone=key, keyword="")
        UnsubscribeLink.objects.filter(organization=person.organization, phone=phone).update(phone=key)
    return changed


def forget_consent(person: Person) -> int:
    """Put the keys in the place of the numbers in the ledger; wordings, times and sources stay."""
    return sum(erase_phone(person.organization, phone=phone, replacement=key) for phone, key in person.keys.items())
