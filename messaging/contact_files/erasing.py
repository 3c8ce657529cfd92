"""What imports have to forget of a person who is erased."""

from messaging.contacts.erasure.erasers import Person
from messaging.csv_files.erasing import uploads_with
from messaging.csv_files.models import Upload

from .models import ContactImport, ImportedNumber


def forget_files(person: Person) -> int:
    """Delete the files in which the person stands, and what imports remember of their rows; return how many files.

    A file cannot be changed, and none is kept for long. What was imported from it stays, but for this person.
    """
    numbers = ImportedNumber.objects.filter(upload__organization=person.organization, phone__in=person.phones)
    files = {*numbers.values_list("upload_id", flat=True), *uploads_with(person)}
    ContactImport.objects.filter(upload__in=files).update(inspection={}, first_wrong=[])
    Upload.objects.filter(pk__in=files).delete()
    return len(files)
