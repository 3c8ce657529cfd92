"""Tables to download: the rows that are wrong, and what became of every row; formulas in cells are made harmless."""

from collections.abc import Iterator
from itertools import islice

from django.http import StreamingHttpResponse

from integrations.phones import region_name
from messaging.csv_files.inspection import Inspection, read_rows
from messaging.csv_files.reading import Row
from messaging.csv_files.writing import csv_response, report_response
from messaging.sending.models import Message
from messaging.sending.reasons import reason_of
from messaging.sending.statuses import Status

from .dry_run import heading_of
from .models import Broadcast, Recipient
from .problems import BroadcastProblem
from .reasons import left_out
from .selectors import problem_rows
from .sources import NUMBER, upload_of

_AT_ONCE = 1000
_RESULT_COLUMNS = (
    "Row", "Number", "Country", "Status", "What happened", "What to do", "Segments", "Price", "Currency",
    "Handed over", "Message",
)  # fmt: skip


def wrong_rows(broadcast: Broadcast) -> StreamingHttpResponse:
    """Return every wrong row with what is wrong; of a file the whole rows as they came, to be mended and sent again."""
    name = f"wrong rows of {broadcast.name}.csv"
    if broadcast.audience == Broadcast.Audience.CSV:
        try:
            upload_of(broadcast)
        except BroadcastProblem:
            pass  # the file is no longer kept: what was stored of its rows must do
        else:
            inspection = Inspection.from_json(broadcast.source["inspection"])
            return report_response(name=name, header=inspection.header, problems=_of_file(broadcast, inspection))
    rows = (
        (row.row, row.typed, heading_of(broadcast, row.field) if row.field else "", row.problem)
        for row in _in_pieces(broadcast, only_bad=True)
    )
    return csv_response(name=name, header=("Row", "Number", "Where", "What is wrong, and what to do"), rows=rows)


def results(broadcast: Broadcast) -> StreamingHttpResponse:
    """Return every row with what became of it."""
    return csv_response(name=f"results of {broadcast.name}.csv", header=_RESULT_COLUMNS, rows=_results(broadcast))


def _of_file(broadcast: Broadcast, inspection: Inspection) -> Iterator[tuple[Row, str]]:
    """Walk through the file and the wrong rows side by side; both are in order."""
    wrong = _in_pieces(broadcast, only_bad=True)
    following = next(wrong, None)
    for row in read_rows(upload_of(broadcast), inspection=inspection):
        if following is None:
            return
        if row.number == following.row:
            where = f"{heading_of(broadcast, following.field)}: " if following.field else ""
            yield row, where + following.problem
            following = next(wrong, None)


def _in_pieces(broadcast: Broadcast, *, only_bad: bool = False) -> Iterator[Recipient]:
    """Yield rows by key, a thousand at a time."""
    rows = problem_rows(broadcast) if only_bad else Recipient.objects.filter(broadcast=broadcast).order_by("row")
    after = 0
    while found := list(rows.filter(row__gt=after)[:_AT_ONCE]):
        yield from found
        after = found[-1].row


def _results(broadcast: Broadcast) -> Iterator[tuple[object, ...]]:
    rows = _in_pieces(broadcast)
    while piece := list(islice(rows, _AT_ONCE)):
        messages = {
            message.broadcast_row: message
            for message in Message.objects.filter(broadcast=broadcast, broadcast_row__in=[row.row for row in piece])
        }
        for row in piece:
            yield _result(broadcast, row, messages.get(row.row))


def _result(broadcast: Broadcast, row: Recipient, message: Message | None) -> tuple[object, ...]:
    country = region_name(row.region) if row.region else ""
    number = row.phone or row.typed
    if message is None:
        status, why = _without_message(broadcast, row)
        return (row.row, number, country, status, why, "", row.segments or "", "", "", "", "")
    reason = reason_of(message)
    return (
        row.row,
        number,
        country,
        Status(message.status).label,
        reason.title if reason else "",
        reason.remedy if reason else "",
        message.segments,
        "" if message.price is None else message.price,
        message.price_unit,
        message.handed_over_at.isoformat(timespec="seconds") if message.handed_over_at else "",
        message.pk,
    )


def _without_message(broadcast: Broadcast, row: Recipient) -> tuple[str, str]:
    if row.state == Recipient.State.BAD:
        where = f"{heading_of(broadcast, row.field)}: " if row.field and row.field != NUMBER else ""
        return "Wrong row", where + row.problem
    if row.state == Recipient.State.LEFT_OUT:
        again = f" (row {row.repeats_row})" if row.repeats_row else ""
        return "Left out", left_out(row.reason).title + again
    if broadcast.status == Broadcast.Status.CANCELED:
        return "Canceled", "The broadcast was canceled before it was this row's turn."
    return "Waiting", ""
