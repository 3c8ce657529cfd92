"""What verification has to forget of a person who is erased."""

from messaging.contacts.erasure.erasers import Person

from .models import Verification


def forget_verifications(person: Person) -> int:
    """Take number and network from the person's verifications; that there were some, and how they fared, stays."""
    count = 0
    for phone, key in person.keys.items():
        rows = Verification.objects.filter(organization=person.organization, phone=phone)
        count += rows.update(phone=key, network="")
    return count
