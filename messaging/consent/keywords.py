"""The words by which a recipient opts out, comes back or asks for help, as Twilio reads them by default.

https://help.twilio.com/articles/223134027 (REVOKE and OPTOUT are newer than the rest). Twilio takes the whole message
only; so do we, but more kindly: "Stop." and "«STOP»" count, "Please stop calling" does not.
"""

import unicodedata
from typing import Literal

Keyword = Literal["stop", "start", "help"]

STOP_WORDS = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"})
START_WORDS = frozenset({"start", "yes", "unstop"})
HELP_WORDS = frozenset({"help", "info"})
_LONGEST = 40  # no keyword with its punctuation is longer; a flood of long texts costs nothing


def classify(body: str) -> Keyword | None:
    """Return which keyword the whole text is, or None. Case, accents, and blanks and signs around it do not count."""
    if len(body.strip()) > _LONGEST:
        return None
    word = _bare(body)
    if word in STOP_WORDS:
        return "stop"
    if word in START_WORDS:
        return "start"
    return "help" if word in HELP_WORDS else None


def _bare(text: str) -> str:
    # NFKD takes accents off their letters and makes full-width letters plain ones.
    letters = "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)
    ).casefold()
    first = next((place for place, sign in enumerate(letters) if sign.isalnum()), len(letters))
    last = next((place for place in range(len(letters), 0, -1) if letters[place - 1].isalnum()), first)
    # Signs that cannot be seen do not make another word of it.
    return "".join(sign for sign in letters[first:last] if unicodedata.category(sign) not in {"Cf", "Cc"})
