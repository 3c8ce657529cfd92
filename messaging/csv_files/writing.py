"""Writing tables for spreadsheets: row by row while they are sent, so that a million need no more memory than ten."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from .formulas import escape_formula
from .reading import Row

_AT_ONCE = 500  # rows between two writes
REPORT_COLUMNS = ("Row in your file", "What is wrong, and what to do")


def csv_response(*, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Return a CSV to download (RFC 4180, UTF-8 with the mark by which Excel knows it), its formulas harmless."""
    response = StreamingHttpResponse(csv_lines(header=header, rows=rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def csv_lines(*, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield the file in pieces of some hundred rows."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow(map(escape_formula, header))
    remaining = iter(rows)
    while True:
        for row in islice(remaining, _AT_ONCE):
            writer.writerow([escape_formula("" if cell is None else str(cell)) for cell in row])
        piece = buffer.getvalue()
        if not piece:
            return
        yield piece.encode()
        buffer.seek(0)
        buffer.truncate()


def report_response(*, name: str, header: Sequence[str], problems: Iterable[tuple[Row, str]]) -> StreamingHttpResponse:
    """Return the report of the rows that were not taken: their cells as they came, their number and what is wrong.

    The cells stand first, so that a mended report can be uploaded as it is.
    """
    rows = ((*row.cells, row.number, words) for row, words in problems)
    return csv_response(name=name, header=[*header, *REPORT_COLUMNS], rows=rows)
