"""Uploaded files in which a person stands who is erased."""

import uuid

from django.db.models import BinaryField, F, Func, IntegerField, Value
from django.db.models.lookups import GreaterThan

from messaging.contacts.erasure.erasers import Person
from messaging.contacts.models import Contact

from .models import UploadChunk

_ENOUGH_DIGITS = 8


def uploads_with(person: Person) -> set[uuid.UUID]:
    """Return the files in which the end of a number stands, as digits in a row, or the e-mail address."""
    needles = {phone[-_ENOUGH_DIGITS:] for phone in person.phones}
    email = Contact.objects.filter(pk=person.contact_id).values_list("email", flat=True).first()
    needles |= {email} if email else set()
    chunks = UploadChunk.objects.filter(upload__organization=person.organization)
    found: set[uuid.UUID] = set()
    for needle in needles:
        place = Func(
            Value(needle.encode(), output_field=BinaryField()),
            F("data"),
            template="position(%(expressions)s)",
            arg_joiner=" IN ",
            output_field=IntegerField(),
        )
        found.update(chunks.filter(GreaterThan(place, 0)).values_list("upload_id", flat=True))
    return found
