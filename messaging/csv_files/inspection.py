"""A first look at an upload: how it is written, what separates its cells, what its columns are called and may hold."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

from .bytes_of import pieces
from .columns import FieldSpec, fold, guess_columns, looks_like_email, share
from .encodings import ENCODINGS, find_letters
from .models import Upload
from .problems import SAVE_AS_CSV, FileProblem, grouped
from .reading import Position, Row, check_width, raw_rows

# What a member may choose where the guess is wrong; the first that explain the file equally well win in this order.
DELIMITERS: dict[str, str] = {
    "\t": "Tab",
    ";": "Semicolon ;",
    "|": "Bar |",
    ",": "Comma ,",
    "^": "Caret ^",
    "~": "Tilde ~",
    "\x1f": "Unit separator (ASCII 31)",
    ":": "Colon :",
}
SAMPLE = 5  # rows shown
_LOOKED_AT = 200  # rows from which columns are guessed
MOST_COLUMNS = 500
MOST_LINES = 5_000_000  # of a file, empty ones too: they take time, and a slice of work must end
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_PHONELIKE = re.compile(r"['+(\d][\d\s()./+-]{5,24}")


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What reading the rows needs to know, and what a page shows of the file; a job keeps it as JSON."""

    encoding: str
    delimiter: str
    has_header: bool
    header: list[str]
    first: Position  # where the first row of data begins
    about: int  # rows of data, counted by line ends: a cell in quotes may have some
    sample_rows: list[list[str]] = field(default_factory=list)
    first_number: int = 1
    guess: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON holds it, without the sample: people's data belong into the file and nowhere else."""
        return {**asdict(self), "first": list(self.first), "sample_rows": []}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Inspection":
        """Return what `as_json` wrote."""
        return cls(**{**value, "first": Position(*value["first"])})


def inspect(
    upload: Upload,
    *,
    fields: Sequence[FieldSpec] = (),
    encoding: str = "",
    delimiter: str = "",
    has_header: bool | None = None,
) -> Inspection:
    """Look at the whole file once and at its first rows closely; raises FileProblem for what is no table.

    What a member chose instead of a guess comes in `encoding`, `delimiter` and `has_header`. The columns of `fields`
    are guessed; a file of one column without a phone number is refused where a field needs one.
    """
    letters = find_letters(pieces(upload), wanted=encoding if encoding in ENCODINGS else "")
    if letters.lines > MOST_LINES:
        raise FileProblem(
            "too_many_rows", f"This file has more than {grouped(MOST_LINES)} rows. Split it into several files."
        )
    begin = Position(letters.start, 0)
    said, begin = _separator_line(upload, letters.encoding, begin)
    delimiter = delimiter if delimiter in DELIMITERS else said or _find_delimiter(upload, letters.encoding, begin)
    rows = raw_rows(upload, encoding=letters.encoding, delimiter=delimiter, start=begin)
    head = [row for row in islice(rows, _LOOKED_AT + 1) if not row.is_blank]
    if not head:
        raise FileProblem("empty", "This file has no rows. Choose the file with your rows in it.")
    if head[0].problem is not None:
        raise FileProblem(head[0].problem.code, f"Row {head[0].number}: {head[0].problem.detail}")
    has_header = _has_header(head, fields) if has_header is None else has_header
    width = len(_trimmed(head[0].cells)) if has_header else _usual_width(head)
    if width > MOST_COLUMNS:
        raise FileProblem(
            "too_many_columns", f"This file has more than {MOST_COLUMNS} columns. Leave out what is not needed."
        )
    data = head[1:] if has_header else head
    if not data:
        raise FileProblem("no_rows", "This file has a heading and no rows below it. Add the rows and upload it again.")
    header = _names(head[0].cells[:width] if has_header else [""] * width)
    cells = [check_width(row, width=width).cells[:width] for row in data]
    found = Inspection(
        encoding=letters.encoding,
        delimiter=delimiter,
        has_header=has_header,
        header=header,
        first=head[0].next_position if has_header else begin,
        about=max(letters.lines - has_header, len(data)),
        sample_rows=[[cell[:200] for cell in row] for row in cells[:SAMPLE]],
        first_number=data[0].number,
        guess=guess_columns(header, cells, fields=fields),
    )
    _refuse_without_phones(found, cells, fields)
    return found


def with_sample(upload: Upload, inspection: Inspection) -> Inspection:
    """Return an inspection that was kept as JSON with the first rows again, to be shown."""
    rows = list(islice(read_rows(upload, inspection=inspection), SAMPLE))
    width = len(inspection.header)
    return replace(
        inspection,
        sample_rows=[[cell[:200] for cell in row.cells[:width]] for row in rows],
        first_number=rows[0].number if rows else 1,
    )


def read_rows(upload: Upload, *, inspection: Inspection, start: Position | None = None) -> Iterator[Row]:
    """Yield the rows of data, from a saved position where one is given; empty rows are passed over, but counted.

    A row whose cells are more or fewer than the columns comes with a problem, padded to the columns.
    """
    rows = raw_rows(
        upload,
        encoding=inspection.encoding,
        delimiter=inspection.delimiter,
        start=Position(*start) if start else inspection.first,
    )
    width = len(inspection.header)
    for row in rows:
        if not row.is_blank:
            yield check_width(row, width=width)


def _separator_line(upload: Upload, encoding: str, begin: Position) -> tuple[str, Position]:
    """Return the separator that Excel's own first line `sep=;` names, and where the table begins behind it."""
    first = next(raw_rows(upload, encoding=encoding, delimiter="\n", start=begin), None)
    named = _SEPARATOR_LINE.fullmatch(first.cells[0].strip(" \r\n")) if first and first.cells else None
    if first is None or named is None or named[1] not in DELIMITERS:
        return "", begin
    return named[1], Position(first.next_position.offset, 0)  # Excel does not show that line, nor count it


def _find_delimiter(upload: Upload, encoding: str, begin: Position) -> str:
    """Return the separator that cuts the first rows most evenly into cells; a comma where nothing does."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = raw_rows(upload, encoding=encoding, delimiter=delimiter, start=begin)
        widths = Counter(
            len(row.cells) for row in islice(rows, _LOOKED_AT // 2) if not row.is_blank and row.problem is None
        )
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda item: (item[0] > 1, item[1]))
        evenness = times / widths.total()
        if width > 1 and evenness >= 0.5 and (round(evenness, 1), min(width, 3)) > best_score:
            best, best_score = delimiter, (round(evenness, 1), min(width, 3))
    return best


def _has_header(head: Sequence[Row], fields: Sequence[FieldSpec]) -> bool:
    """Tell whether the first row names the columns: a known name, or no value where the rows below have some."""
    first = head[0].cells
    if any(looks_like_email(cell) or _PHONELIKE.fullmatch(cell.strip()) for cell in first):
        return False
    known = {fold(name) for spec in fields for name in (spec.key, spec.label, *spec.names)}
    if any(fold(cell) in known for cell in first if cell.strip()):
        return True
    below = [row.cells for row in head[1:]]
    return any(
        share(below, column, lambda cell: bool(_PHONELIKE.fullmatch(cell.strip())) or looks_like_email(cell)) > 0.5
        for column in range(len(first))
    ) or (bool(below) and all(cell.strip() for cell in _trimmed(first)) and len(set(first)) == len(first) > 1)


def _usual_width(head: Sequence[Row]) -> int:
    widths = Counter(len(_trimmed(row.cells)) for row in head if row.problem is None)
    return max(max(widths, key=lambda width: (widths[width], width), default=1), 1)


def _trimmed(cells: Sequence[str]) -> Sequence[str]:
    """Return the cells without the empty ones at the end."""
    length = len(cells)
    while length > 1 and not cells[length - 1].strip():
        length -= 1
    return cells[:length]


def _names(cells: Sequence[str]) -> list[str]:
    """Return the names of the columns: what stands there, else the spreadsheet's letters; no name twice."""
    names: list[str] = []
    for number, cell in enumerate(cells):
        name = " ".join("".join(sign if sign.isprintable() else " " for sign in cell).split())[:80]
        name = name or f"Column {letters_of(number)}"
        again = 2
        unique = name
        while unique in names:
            unique, again = f"{name} ({again})", again + 1
        names.append(unique)
    return names


def letters_of(column: int) -> str:
    """Return a column as spreadsheets name it: A, B … Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _refuse_without_phones(found: Inspection, rows: Sequence[Sequence[str]], fields: Sequence[FieldSpec]) -> None:
    needed = [spec for spec in fields if spec.is_required and spec.looks_right is not None]
    if len(found.header) > 1 or not needed:
        return
    if any(share(rows, 0, spec.looks_right) > 0 for spec in needed if spec.looks_right is not None):
        return
    raise FileProblem(
        "no_phones",
        "This file has one column, and there are no phone numbers in it. "
        f"If it should have more columns, its separator was not recognised. {SAVE_AS_CSV}",
    )


def dialect_in_words(found: Inspection) -> str:
    """Return how the file was read, in one line."""
    return f"{ENCODINGS[found.encoding]}, {DELIMITERS[found.delimiter].split()[0].lower()} between cells"
