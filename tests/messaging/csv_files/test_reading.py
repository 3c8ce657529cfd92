"""Rows come one by one, with the numbers a spreadsheet shows, from any saved position, whatever is wrong with one."""

import tracemalloc

import pytest

from messaging.csv_files.inspection import inspect, read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.reading import LONGEST_ROW, Position, Row
from tests.messaging.csv_files.conftest import Keep

pytestmark = pytest.mark.django_db


def rows_of(upload: Upload) -> list[Row]:
    return list(read_rows(upload, inspection=inspect(upload)))


def cells(upload: Upload) -> list[list[str]]:
    return [row.cells for row in rows_of(upload)]


def test_cells_may_hold_separators_quotes_and_line_ends(keep: Keep) -> None:
    upload = keep(b'name,note\r\n"Lovelace, Ada","said ""yes"""\r\nBob,"two\r\nlines"\r\nO"Neil,5" pipe\r\n')
    assert cells(upload) == [
        ["Lovelace, Ada", 'said "yes"'],
        ["Bob", "two\r\nlines"],
        ['O"Neil', '5" pipe'],
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_numbers_are_those_of_a_spreadsheet(keep: Keep, end: str) -> None:
    upload = keep(end.join(["name,phone", '"A\nB",1', "", ",", "C,2", ""]).encode())
    assert [(row.number, row.cells) for row in rows_of(upload)] == [(2, ["A\nB", "1"]), (5, ["C", "2"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_reading_goes_on_at_any_saved_position(keep: Keep, encoding: str) -> None:
    lines = ["姓名;电话", *(f'"王\n{number}, 先生 😀";+86 138 0013 {number:04}' for number in range(300))]
    upload = keep("\r\n".join(lines).encode(encoding))
    inspection = inspect(upload)
    rows = list(read_rows(upload, inspection=inspection))
    assert len(rows) == 300
    assert rows[7].cells == ["王\n7, 先生 😀", "+86 138 0013 0007"]
    for saved in (0, 1, 150, 298):
        position = Position(*list(rows[saved].next_position))
        assert list(read_rows(upload, inspection=inspection, start=position)) == rows[saved + 1 :]
    assert list(read_rows(upload, inspection=inspection, start=rows[-1].next_position)) == []
    assert rows[-1].next_position.offset == upload.size


def test_row_with_other_cells_than_the_heading_says_so_and_the_next_is_read(keep: Keep) -> None:
    upload = keep(b"name,phone,city\nAda,1,Rome\nBob,2\nCid,3,Rome,Italy\nDan,4,Oslo,,\nEve,5,\n")
    rows = rows_of(upload)
    assert [(row.number, row.problem and row.problem.code) for row in rows] == [
        (2, None), (3, "too_few_cells"), (4, "too_many_cells"), (5, None), (6, None),
    ]  # fmt: skip
    assert rows[1].problem is not None
    assert "This row has 2 cells, the heading has 3." in rows[1].problem.detail
    assert rows[1].cells == ["Bob", "2", ""]
    assert rows[2].cells == ["Cid", "3", "Rome", "Italy"]
    assert rows[3].cells == ["Dan", "4", "Oslo"]


def test_quote_that_nobody_closes_spoils_its_row_only(keep: Keep) -> None:
    upload = keep(b'name,phone\nAda,1\n"Bob,2\nCid,3\n' + b"".join(b"Dan,%d\n" % n for n in range(3_000)))
    rows = rows_of(upload)
    assert [row.number for row in rows] == list(range(2, 3_005))
    assert [row.number for row in rows if row.problem] == [3]
    assert rows[1].problem is not None
    assert rows[1].problem.code == "open_quote"
    assert rows[2].cells == ["Cid", "3"]
    last = keep(b'name,phone\nAda,1\n"Bob,2')
    assert [(row.number, row.problem and row.problem.code) for row in rows_of(last)] == [(2, None), (3, "open_quote")]


def test_very_long_row_is_passed_over_in_little_memory(keep: Keep) -> None:
    upload = keep(b"name,phone\nAda,1\n" + b"x" * 10_000_000 + b",2\nCid,3\n" + b'"' + b"y\n" * 200_000 + b'",4\nDan,5')
    inspection = inspect(upload)
    tracemalloc.start()
    problems: dict[str, int] = {}
    good = []
    for row in read_rows(upload, inspection=inspection):
        if row.problem:
            problems[row.problem.code] = problems.get(row.problem.code, 0) + 1
            assert sum(map(len, row.cells)) < LONGEST_ROW
        else:
            good.append(row.cells[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert good == ["Ada", "Cid", "Dan"]
    assert problems["row_too_long"] == 1
    assert problems["open_quote"] == 2
    assert peak < 5_000_000


def test_nul_characters_are_named_and_never_handed_on(keep: Keep) -> None:
    upload = keep(b'name,phone\nA\x00da,1\n"B\x00\nob",2\nCid,3\n' + b"Dan,4\n" * 50)
    rows = rows_of(upload)
    assert [row.problem and row.problem.code for row in rows[:3]] == ["nul", "nul", None]
    assert rows[0].cells == ["Ada", "1"]
    assert not any("\x00" in cell for row in rows for cell in row.cells)
