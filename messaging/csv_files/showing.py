"""What pages show of rows that cannot be taken."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .reading import Row

SHOWN = 20  # rows on a page; the report has all


@dataclass(frozen=True)
class ShownCell:
    """A cell as it came, under its heading; `problem` stands inside it where it is the wrong one."""

    heading: str
    value: str
    problem: str = ""


@dataclass(frozen=True)
class ShownRow:
    """A row that cannot be taken; `problem` is set where it is the row itself and no cell of it."""

    number: int
    cells: Sequence[ShownCell]
    problem: str = ""


def in_columns(rows: Sequence[ShownRow]) -> list[ShownRow]:
    """Return the rows with the same columns in the same order, so that each cell stands below its own heading.

    Each row names its own cells: the usual ones, and those that are wrong in it. Two columns may share a heading.
    """
    numbered = [_numbered(row.cells) for row in rows]
    columns = list(dict.fromkeys(column for cells in numbered for column in cells))
    return [
        ShownRow(row.number, [cells.get(column, ShownCell(column[0], "")) for column in columns], row.problem)
        for row, cells in zip(rows, numbered, strict=True)
    ]


def _numbered(cells: Sequence[ShownCell]) -> dict[tuple[str, int], ShownCell]:
    seen: Counter[str] = Counter()
    numbered = {}
    for cell in cells:
        numbered[cell.heading, seen[cell.heading]] = cell
        seen[cell.heading] += 1
    return numbered


def shown_row(
    row: Row, *, header: Sequence[str], columns: Sequence[int], problems: Mapping[int | None, str]
) -> ShownRow:
    """Return what the error table shows of a row; a problem of the row and of none of its cells stands under None."""
    wanted = [*columns, *(column for column in problems if column is not None and column not in columns)]
    cells = [
        ShownCell(header[column], row.cells[column][:120] if column < len(row.cells) else "", problems.get(column, ""))
        for column in wanted
        if column < len(header)
    ]
    return ShownRow(row.number, cells, problems.get(None, "") or (row.problem.detail if row.problem else ""))
