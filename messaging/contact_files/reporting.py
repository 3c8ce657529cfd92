"""The report of the rows that are not taken: read and judged once more while it is sent, and kept nowhere."""

from collections.abc import Iterator
from itertools import islice

from django.http import StreamingHttpResponse

from messaging.csv_files.inspection import letters_of, read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.reading import Row
from messaging.csv_files.writing import report_response

from .checking import words_of_problems
from .drafts import Plan, read_draft
from .models import ContactImport
from .numbers import repeated
from .passes import BATCH


def error_report(importing: ContactImport, upload: Upload) -> StreamingHttpResponse:
    """Return the report as a download; it ends with the last wrong row, without reading what is behind it."""
    plan = Plan.of(importing)
    name = f"{importing.file_name.rpartition('.')[0] or importing.file_name} - not imported.csv"
    return report_response(
        name=name, header=plan.inspection.header, problems=islice(_problems(plan, upload), importing.wrong_count)
    )


def _problems(plan: Plan, upload: Upload) -> Iterator[tuple[Row, str]]:
    rows = read_rows(upload, inspection=plan.inspection)
    while batch := list(islice(rows, BATCH)):
        drafts = [read_draft(plan, row) for row in batch]
        repeats = repeated(upload, drafts)
        for draft in drafts:
            problems = words_of_problems(draft, repeats, plan)
            if problems:
                yield draft.row, " ".join(_sentence(plan, column, words) for column, words in problems.items())


def _sentence(plan: Plan, column: int | None, words: str) -> str:
    if column is None:
        return words
    name = plan.inspection.header[column] if column < len(plan.inspection.header) else letters_of(column)
    return f"{name}: {words}"
