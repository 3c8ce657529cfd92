"""What can be wrong with a file, or with one row of it, in words for whoever uploaded it."""

from dataclasses import dataclass

# What every spreadsheet program calls the way out.
SAVE_AS_CSV = "In your spreadsheet program choose File → Save as, and CSV UTF-8 as the type; then upload that file."


class FileProblem(Exception):
    """The file cannot be read as a table; `code` is stable, the sentence says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class RowProblem:
    """A row that cannot be read; the next one can. `code` is stable, the sentence says what to do."""

    code: str
    detail: str


def grouped(number: int) -> str:
    """Return a count as pages show it: 12,345."""
    return f"{number:,}"
