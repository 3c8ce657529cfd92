"""Texts of strangers, as a page may show them."""

import re
import unicodedata

# Marks that turn the direction of all that follows; isolates and the marks that Arabic and Hebrew writers use stay.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e")
_SNIPPET = 200


def readable(text: str) -> str:
    """Return the text without control characters, half pairs and overrides of the reading direction.

    Newlines and tabs stay. What was received stays in the database as it came; this is for eyes only.
    """
    if text.isprintable():
        return text
    kept = (
        sign
        for sign in text.replace("\r\n", "\n").replace("\r", "\n")
        if sign in "\n\t" or (unicodedata.category(sign) not in {"Cc", "Cs"} and sign not in _TURNING)
    )
    return "".join(kept)


def snippet(text: str) -> str:
    """Return the beginning of a text on one line, for lists."""
    line = re.sub(r"\s+", " ", readable(text[: _SNIPPET * 4])).strip()
    return line if len(line) <= _SNIPPET else f"{line[: _SNIPPET - 1]}…"
