"""Cells that a spreadsheet would take for a formula: an apostrophe in front keeps them text, on the way out and back.

Phone numbers begin with + and get one too; reading numbers drops it.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import re

# What programs pass over before they look at a cell's first sign, and the signs that begin a formula there, in their
# full-width forms as well.
_FORMULA = re.compile(
    r"'*(?:[\t\r\n]|[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)


def escape_formula(cell: str) -> str:
    """Return the cell as a file may carry it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """Return the cell as it was before `escape_formula`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
