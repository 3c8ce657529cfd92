"""Does a text say a rule's words? Case, accents, blanks and signs around it do not count, as with STOP."""

import re
import unicodedata

from .models import KeywordRule

_THAI_TO_KHMER = range(0x0E00, 0x1800)  # scripts written without blanks between words


def fold(text: str) -> str:
    """Return the text in plain small letters, with single blanks and without signs at its ends."""
    letters = (sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    plain = (
        "".join(sign for sign in letters if unicodedata.category(sign) not in {"Cf", "Cs"}).casefold().replace("ı", "i")
    )
    plain = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", plain).strip()
    first = next((place for place, sign in enumerate(plain) if sign.isalnum()), None)
    if first is None:
        return plain  # only signs: a rule may listen for 👍 or ?
    last = next(place for place in range(len(plain), 0, -1) if plain[place - 1].isalnum())
    return plain[first:last]


def says(rule: KeywordRule, text: str) -> bool:
    """Tell whether a folded text fits the rule; `text` comes from `fold`."""
    for word in rule.words:
        if rule.match == KeywordRule.Match.EXACT and text == word:
            return True
        if rule.match == KeywordRule.Match.STARTS and text.startswith(word) and _ends_there(text, len(word)):
            return True
        if rule.match == KeywordRule.Match.CONTAINS and _contains(text, word):
            return True
    return False


def _contains(text: str, word: str) -> bool:
    start = text.find(word)
    while start >= 0:
        if _begins_there(text, start) and _ends_there(text, start + len(word)):
            return True
        start = text.find(word, start + 1)
    return False


def _begins_there(text: str, place: int) -> bool:
    return place == 0 or not (_joins(text[place - 1]) and _joins(text[place]))


def _ends_there(text: str, place: int) -> bool:
    return place >= len(text) or not (_joins(text[place - 1]) and _joins(text[place]))


def _joins(sign: str) -> bool:
    """Tell whether the sign makes one word with its neighbours: a letter or digit of a script that has blanks."""
    return sign.isalnum() and unicodedata.east_asian_width(sign) not in {"W", "F"} and ord(sign) not in _THAI_TO_KHMER
