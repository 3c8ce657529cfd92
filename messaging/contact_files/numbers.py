"""Which row of a file a number belongs to: the first that has it, however the passes over the file are cut."""

from collections.abc import Sequence

from messaging.csv_files.models import Upload

from .drafts import Draft
from .models import ImportedNumber


def forget_numbers(upload: Upload) -> None:
    """Let a new pass over the file begin with no number taken."""
    ImportedNumber.objects.filter(upload=upload).delete()


def claim_numbers(upload: Upload, drafts: Sequence[Draft]) -> None:
    """Give each number to the first good row that has it, and mark the others as repetitions."""
    first: dict[str, int] = {}
    for draft in drafts:
        if draft.is_good:
            first.setdefault(draft.e164, draft.row.number)
    ImportedNumber.objects.bulk_create(
        (ImportedNumber(upload=upload, phone=phone, row=row) for phone, row in first.items()), ignore_conflicts=True
    )


def repeated(upload: Upload, drafts: Sequence[Draft]) -> dict[int, int]:
    """Return the rows whose number stands in an earlier one, with that row's number."""
    owners = dict(
        ImportedNumber.objects.filter(
            upload=upload, phone__in={draft.e164 for draft in drafts if draft.is_good}
        ).values_list("phone", "row")
    )
    return {
        draft.row.number: owners[draft.e164]
        for draft in drafts
        if draft.is_good and owners.get(draft.e164, draft.row.number) != draft.row.number
    }
