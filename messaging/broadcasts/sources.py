"""Where the recipients of a broadcast come from, read in slices by key: the next slice begins where the cursor says."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from messaging.contacts.filters import ContactFilter, filtered
from messaging.contacts.models import Contact
from messaging.csv_files.formulas import unescape_formula
from messaging.csv_files.inspection import Inspection, read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.reading import Position
from messaging.csv_files.storing import find_upload
from messaging.sending.models import Message

from .models import Broadcast, RecipientBatch
from .problems import BroadcastProblem
from .safety import safe_to_send_again

NUMBER = "to"  # the field of a row that holds the number
Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as its source has it; `text` was rendered before, with a `problem` the row cannot be read."""

    row: int
    typed: str
    contact: Contact | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    problem: tuple[str, str] | None = None


@dataclass(frozen=True)
class Slice:
    """Rows in order, the cursor behind them, and whether there are more."""

    rows: Sequence[SourceRow]
    cursor: dict[str, Any]
    is_last: bool


Reader = Callable[[Broadcast, Cursor, int], Slice]


def read_slice(broadcast: Broadcast, cursor: Cursor, *, most: int) -> Slice:
    """Return the next rows of the broadcast's source; raise BroadcastProblem where there is no source any more."""
    return READERS[broadcast.audience](broadcast, cursor, most)


def size_of(broadcast: Broadcast) -> int | None:
    """Return how many rows the source has, None where nobody knows before reading it."""
    match broadcast.audience:
        case Broadcast.Audience.API:
            return sum(RecipientBatch.objects.filter(broadcast=broadcast).values_list("count", flat=True))
        case Broadcast.Audience.CSV:
            return int(broadcast.source["inspection"]["about"])
        case Broadcast.Audience.RETRY:
            return safe_to_send_again(_original(broadcast)).count()
        case _:
            return contacts_of(broadcast).count()


def has_more(broadcast: Broadcast, cursor: Cursor) -> bool:
    """Tell whether the API has added recipients behind the cursor; asked under the lock of the broadcast's row."""
    return (
        broadcast.audience == Broadcast.Audience.API
        and RecipientBatch.objects.filter(broadcast=broadcast, first_row__gt=int(cursor.get("row", 0))).exists()
    )


def contacts_of(broadcast: Broadcast) -> QuerySet[Contact]:
    """Return the contacts that the broadcast is meant for."""
    contacts = Contact.objects.filter(organization=broadcast.organization)
    if broadcast.audience == Broadcast.Audience.TAG:
        return contacts.filter(tags=uuid.UUID(str(broadcast.source["tag"])))
    if broadcast.audience == Broadcast.Audience.FILTER:
        return filtered(broadcast.organization, ContactFilter.from_json(broadcast.source["wanted"]))
    return contacts


def upload_of(broadcast: Broadcast) -> Upload:
    """Return the file of a broadcast; raise BroadcastProblem where it was forgotten."""
    upload = find_upload(broadcast.organization, broadcast.source.get("upload"))
    if upload is None:
        raise BroadcastProblem("no_file", "The file is no longer kept. Upload it again under Change.", field="file")
    return upload


def _read_contacts(broadcast: Broadcast, cursor: Cursor, most: int) -> Slice:
    contacts = contacts_of(broadcast).order_by("id")
    if after := cursor.get("after"):
        contacts = contacts.filter(id__gt=after)
    found = list(contacts[:most])
    behind = int(cursor.get("row", 0))
    rows = [SourceRow(behind + place, contact.phone, contact) for place, contact in enumerate(found, start=1)]
    position = {"row": behind + len(found), "after": str(found[-1].pk) if found else cursor.get("after")}
    return Slice(rows, position, is_last=len(found) < most)


def _read_file(broadcast: Broadcast, cursor: Cursor, most: int) -> Slice:
    """Read rows of the file, numbered as a spreadsheet shows them."""
    inspection = Inspection.from_json(broadcast.source["inspection"])
    columns: dict[str, int] = broadcast.source["columns"]
    number, given = columns[NUMBER], {name: column for name, column in columns.items() if name != NUMBER}
    start = Position(*cursor["position"]) if "position" in cursor else None
    found = list(islice(read_rows(upload_of(broadcast), inspection=inspection, start=start), most))
    rows = [
        SourceRow(
            row.number,
            unescape_formula(row.cells[number]),
            given={name: unescape_formula(row.cells[column]) for name, column in given.items()},
            problem=(row.problem.code, row.problem.detail) if row.problem else None,
        )
        for row in found
    ]
    position = list(found[-1].next_position) if found else cursor.get("position")
    return Slice(rows, {"position": position} if position else dict(cursor), is_last=len(found) < most)


def _read_batches(broadcast: Broadcast, cursor: Cursor, most: int) -> Slice:
    """Read what the API gave: rows are counted from 1 through all calls."""
    behind = int(cursor.get("row", 0))
    batch = RecipientBatch.objects.filter(broadcast=broadcast, first_row__lte=behind + 1).order_by("-first_row").first()
    if batch is None or behind + 1 >= batch.first_row + batch.count:
        return Slice([], dict(cursor), is_last=True)
    start = behind + 1 - batch.first_row
    found = batch.recipients[start : start + most]
    rows = [
        SourceRow(behind + place, given["to"], given=given.get("variables") or {})
        for place, given in enumerate(found, start=1)
    ]
    return Slice(rows, {"row": behind + len(found)}, is_last=False)


def _read_failures(broadcast: Broadcast, cursor: Cursor, most: int) -> Slice:
    """Read the failed messages that may be sent again, with the text each had; rows keep their numbers."""
    messages = safe_to_send_again(_original(broadcast)).filter(broadcast_row__gt=int(cursor.get("row", 0)))
    found = list(messages.select_related("contact").order_by("broadcast_row")[:most])
    rows = [_again(message) for message in found]
    position = {"row": rows[-1].row if rows else int(cursor.get("row", 0))}
    return Slice(rows, position, is_last=len(found) < most)


def _again(message: Message) -> SourceRow:
    return SourceRow(message.broadcast_row or 0, message.phone, message.contact, text=message.body)


def _original(broadcast: Broadcast) -> Broadcast:
    if broadcast.retry_of is None:
        raise BroadcastProblem("no_source", "The broadcast whose failures these are is gone.")
    return broadcast.retry_of


READERS: dict[str, Reader] = {
    Broadcast.Audience.CONTACTS: _read_contacts,
    Broadcast.Audience.TAG: _read_contacts,
    Broadcast.Audience.FILTER: _read_contacts,
    Broadcast.Audience.CSV: _read_file,
    Broadcast.Audience.API: _read_batches,
    Broadcast.Audience.RETRY: _read_failures,
}
