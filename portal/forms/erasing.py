"""What forms have to forget of a person who is erased, and what time takes with it."""

from django.db.models import Q

from messaging.contacts.erasure.erasers import Person

from .models import FormDraft, Submission, SubmissionExport


def forget_submissions(person: Person) -> int:
    """Delete what the person sent, files and begun submissions too, and every export that may hold some of it."""
    sent = Submission.objects.filter(form__organization=person.organization).filter(
        Q(phone__in=person.phones) | Q(contact=person.contact_id)
    )
    forms = set(sent.values_list("form_id", flat=True))
    SubmissionExport.objects.filter(form__in=forms).delete()
    FormDraft.objects.filter(form__organization=person.organization, phone__in=person.phones).delete()
    count = sent.count()
    sent.delete()
    return count
