"""What is written can be read again, by us and by spreadsheets, and never runs as a formula."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.csv_files.formulas import escape_formula, unescape_formula
from messaging.csv_files.inspection import inspect, read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.reading import Position, Row
from messaging.csv_files.storing import store_upload
from messaging.csv_files.writing import csv_lines, csv_response, report_response
from tests.conftest import Cast

DANGEROUS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", "  =1", "'=1", "\u200b=1",
    "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")',
]  # fmt: skip


@pytest.mark.parametrize("cell", DANGEROUS)
def test_formula_is_written_as_text(cell: str) -> None:
    assert escape_formula(cell) == f"'{cell}"
    assert unescape_formula(escape_formula(cell)) == cell


@given(st.text())
def test_escaping_is_undone_exactly(cell: str) -> None:
    assert unescape_formula(escape_formula(cell)) == cell


def test_ordinary_cells_stay_as_they_are() -> None:
    for cell in ("", "Ada", "5 - 3", "a@b.de", "0151 123", "'quoted'", "1=1"):
        assert escape_formula(cell) == cell


def test_download_is_rfc_4180_with_a_mark_for_excel() -> None:
    response = csv_response(name="Kontakte 25.csv", header=["Name", "Note"], rows=[["Ada, L.", 'x "y"\nz'], [None, 3]])
    assert response.getvalue() == '\ufeffName,Note\r\n"Ada, L.","x ""y""\nz"\r\n,3\r\n'.encode()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="Kontakte 25.csv"'


def test_rows_are_fetched_while_they_are_sent() -> None:
    fetched = 0

    def endless() -> object:
        nonlocal fetched
        while True:
            fetched += 1
            yield ["x", fetched]

    lines = csv_lines(header=["a", "b"], rows=endless())  # type: ignore[arg-type]
    assert next(lines).startswith("\ufeffa,b\r\nx,1\r\n".encode())
    assert fetched <= 500
    next(lines)
    assert fetched <= 1_000


def test_report_has_the_cells_as_they_came_the_row_and_the_words() -> None:
    row = Row(812, ["Ada", "=030"], Position(0, 0))
    report = report_response(name="errors.csv", header=["Name", "Phone"], problems=[(row, "Too short.")])
    table = list(csv.reader(io.StringIO(report.getvalue().decode("utf-8-sig"))))
    assert table == [
        ["Name", "Phone", "Row in your file", "What is wrong, and what to do"],
        ["Ada", "'=030", "812", "Too short."],
    ]


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from('",;\n'), max_size=12)


@pytest.mark.django_db
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(LETTERS, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_any_program_writes_is_read_as_it_was(
    cast: Cast, rows: list[list[str]], delimiter: str, encoding: str, quoting: int, end: str
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([["name", "phone", "note"], *rows])
    Upload.objects.all().delete()
    content = buffer.getvalue().encode(encoding)
    upload = store_upload(cast.organization, file=[content], name="a.csv", actor=None)
    chosen = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    # A handful of strange letters says too little for a guess; that is tested with names of people elsewhere.
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    if not kept:
        return
    seen = inspect(upload, encoding=chosen, delimiter=delimiter, has_header=True)
    read = list(read_rows(upload, inspection=seen))
    assert [row.cells for row in read] == kept
    for row in read[:2]:
        rest = list(read_rows(upload, inspection=seen, start=row.next_position))
        assert [again.cells for again in rest] == kept[len(kept) - len(rest) :]
        assert len(rest) == len(read) - read.index(row) - 1
