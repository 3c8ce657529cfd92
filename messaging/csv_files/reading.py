"""Reading the rows of an upload, in order and from any saved position on, without holding more than one of them.

A row is what a spreadsheet shows as one: a cell in quotes may span lines. Numbers are the spreadsheet's own, so that
“row 812” is found there; it counts the heading and empty rows too.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .bytes_of import UploadBytes
from .models import Upload
from .problems import RowProblem, grouped

LONGEST_ROW = 100_000  # characters; one row cannot fill the memory, whatever the file says
MOST_LINES = 1_000  # of one row: a quotation mark that nobody closed must not swallow the file


class Position(NamedTuple):
    """Where to go on: the byte at which the next row begins, and how many rows are behind."""

    offset: int
    row: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet shows it, its cells, where the next begins, and what is wrong with it."""

    number: int
    cells: list[str]
    next_position: Position
    problem: RowProblem | None = None

    @property
    def is_blank(self) -> bool:
        return self.problem is None and not any(cell.strip().strip("\x1a") for cell in self.cells)


def raw_rows(upload: Upload, *, encoding: str, delimiter: str, start: Position) -> Iterator[Row]:
    """Yield every row from `start` on, blank ones and the heading too, whatever their number of cells."""
    lines = _Lines(upload, encoding=encoding, offset=start.offset)
    offset, number = start
    while (line := lines.take()) is not None:
        text, size = line
        number += 1
        offset += size
        problem: RowProblem | None = None
        if not lines.is_whole:
            cells, problem = [text[:200]], _TOO_LONG
        elif '"' in text:
            cells, more, problem = _quoted(text, lines, delimiter)
            offset += more
        else:
            cells = text.rstrip("\r\n").split(delimiter)
        if "\x00" in text or ('"' in text and any("\x00" in cell for cell in cells)):
            cells = [cell.replace("\x00", "") for cell in cells]
            problem = problem or _NUL
        yield Row(number, cells, Position(offset, number), problem)


def check_width(row: Row, *, width: int) -> Row:
    """Return the row with as many cells as the heading; where it has others, with the problem that says so.

    Empty cells at the end are what spreadsheet programs add or leave out, and no problem.
    """
    cells = row.cells
    if row.problem is not None or len(cells) == width:
        return row
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    problem = None
    if len(cells) != width:
        what = "few" if len(cells) < width else "many"
        problem = RowProblem(
            f"too_{what}_cells",
            f"This row has {grouped(len(cells))} {_cells(len(cells))}, the heading has {grouped(width)}. "
            + (
                "Fill in what is missing, or leave the cells empty but there."
                if what == "few"
                else "Put a cell that contains the separator itself into double quotes."
            ),
        )
        cells = [*cells, *[""] * (width - len(cells))]
    return Row(row.number, cells, row.next_position, problem)


def _cells(count: int) -> str:
    return "cell" if count == 1 else "cells"


_TOO_LONG = RowProblem("row_too_long", f"This row is longer than {grouped(LONGEST_ROW)} characters. Shorten its cells.")
_NUL = RowProblem("nul", "This row contains NUL characters, which no text has. Type its cells anew.")
_OPEN_QUOTE = RowProblem(
    "open_quote",
    "A quotation mark is opened in this row and never closed. Close it, or write it twice where the text has one.",
)


def _quoted(first: str, lines: "_Lines", delimiter: str) -> tuple[list[str], int, RowProblem | None]:
    """Return the cells of the row that begins with this line, the bytes of the further lines, and the problem.

    Where the quotation mark is not closed, what it swallowed is given back and read as rows of their own.
    """
    taken: list[tuple[str, int]] = []
    is_open = False

    def feed() -> Iterator[str]:
        nonlocal is_open
        yield first
        length = len(first)
        while len(taken) < MOST_LINES:
            line = lines.take()
            if line is None:
                break
            taken.append(line)
            length += len(line[0])
            if length > LONGEST_ROW or not lines.is_whole:
                break
            yield line[0]
        is_open = True

    cells = next(csv.reader(feed(), delimiter=delimiter, strict=False), [])
    if is_open:
        lines.give_back(taken)
        return first.rstrip("\r\n").split(delimiter), 0, _OPEN_QUOTE
    return cells, sum(size for _, size in taken), None


class _Lines:
    """The lines of an upload with their length in bytes; a line may be put back."""

    def __init__(self, upload: Upload, *, encoding: str, offset: int) -> None:
        source = io.BufferedReader(UploadBytes(upload, offset=offset), buffer_size=64 * 1024)
        self._text = io.TextIOWrapper(source, encoding=encoding, newline="")
        self._encoding = encoding
        self._waiting: deque[tuple[str, int]] = deque()
        self.is_whole = True  # whether the line taken last came to its end before the limit

    def take(self) -> tuple[str, int] | None:
        """Return the next line and its bytes, None after the last; of a boundless one only its beginning."""
        self.is_whole = True
        if self._waiting:
            line = self._waiting.popleft()
            self.is_whole = len(line[0]) <= LONGEST_ROW
            return line
        text = self._text.readline(LONGEST_ROW + 1)
        if not text:
            return None
        size = len(text.encode(self._encoding))
        if len(text) > LONGEST_ROW and text[-1] not in "\r\n":
            self.is_whole = False
            while (more := self._text.readline(LONGEST_ROW)) and more[-1] not in "\r\n":
                size += len(more.encode(self._encoding))
            size += len(more.encode(self._encoding))
        elif len(text) > LONGEST_ROW:
            self.is_whole = False
        return text, size

    def give_back(self, lines: list[tuple[str, int]]) -> None:
        self._waiting.extendleft(reversed(lines))
