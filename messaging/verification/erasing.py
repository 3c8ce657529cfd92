"""What verification has to forget of a person who is erased."""

from django.db.models.functions import Now

from messaging.contacts.erasure.erasers import Person

from .models import Verification

Status = Verification.Status


def forget_verifications(person: Person) -> int:
    """Take number and network from the person's verifications; that there were some, and how they fared, stays.

    One that waits for its code ends: there is nobody any more whose number it could prove.
    """
    count = 0
    for phone, key in person.keys.items():
        rows = Verification.objects.filter(organization=person.organization, phone=phone)
        rows.filter(status=Status.PENDING).update(
            status=Status.CANCELED, ended_at=Now(), checking_until=None, error_code=None, error_reason="erased"
        )
        count += rows.update(phone=key, network="")
    return count
