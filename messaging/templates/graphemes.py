"""What people see as one character: the rules of Unicode's text segmentation that texts meet, without a library.

After https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries; pictographs are told by block, and the
line break CR LF is two characters here, as it is for the counting of SMS segments.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto


class _Kind(Enum):
    OTHER = auto()
    CONTROL = auto()
    EXTEND = auto()  # joins what stands before it
    PREPEND = auto()  # joins what comes after it
    JOINER = auto()
    PICTOGRAPH = auto()
    FLAG_LETTER = auto()
    HANGUL_LEAD = auto()
    HANGUL_VOWEL = auto()
    HANGUL_TRAIL = auto()
    HANGUL_OPEN = auto()  # a syllable without a trailing consonant
    HANGUL_CLOSED = auto()


_OTHER, _CONTROL, _EXTEND, _PREPEND = _Kind.OTHER, _Kind.CONTROL, _Kind.EXTEND, _Kind.PREPEND
_JOINER, _FLAG_LETTER = _Kind.JOINER, _Kind.FLAG_LETTER
_AFTER = {
    _Kind.HANGUL_LEAD: {_Kind.HANGUL_LEAD, _Kind.HANGUL_VOWEL, _Kind.HANGUL_OPEN, _Kind.HANGUL_CLOSED},
    _Kind.HANGUL_OPEN: {_Kind.HANGUL_VOWEL, _Kind.HANGUL_TRAIL},
    _Kind.HANGUL_VOWEL: {_Kind.HANGUL_VOWEL, _Kind.HANGUL_TRAIL},
    _Kind.HANGUL_CLOSED: {_Kind.HANGUL_TRAIL},
    _Kind.HANGUL_TRAIL: {_Kind.HANGUL_TRAIL},
}
_PICTOGRAPHS = re.compile(
    "[©®‼⁉™ℹ\u2194-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff〰〽㊗㊙"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff\U0001fc00-\U0001fffd]"
)
_PREPENDED = re.compile("[\u0600-\u0605\u06dd\u070f\u08e2\u0d4e\U000110bd\U000110cd]")
# Zero-width non-joiner, half-width voicing marks, skin tones; Thai and Lao am; tags of regional flags.
_EXTENDING = re.compile("[\u200c\uff9e\uff9f\U0001f3fb-\U0001f3ff\u0e33\u0eb3\U000e0020-\U000e007f]")
_CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs"}
_kinds: dict[str, _Kind] = {}  # filled as characters are met; at most one entry for each that exists


def split_graphemes(text: str) -> Iterator[str]:
    """Yield the graphemes of a text in order; joined, they are the text."""
    start = 0
    previous = _CONTROL
    flag_letters = 0
    base = previous  # the last kind that neither extends nor joins
    for index, character in enumerate(text):
        kind = _kinds.get(character) or _remember(character)
        if kind is _EXTEND or kind is _JOINER:
            is_start = previous is _CONTROL
        else:
            is_start = (kind is _OTHER and previous is not _PREPEND) or _breaks(
                previous, kind, base=base, is_second_flag_letter=flag_letters % 2 == 1
            )
            base = kind
        if is_start and index:
            yield text[start:index]
            start, flag_letters = index, 0
        if kind is _FLAG_LETTER:
            flag_letters += 1
        previous = kind
    if text:
        yield text[start:]


def _breaks(previous: _Kind, kind: _Kind, *, base: _Kind, is_second_flag_letter: bool) -> bool:
    if previous is _CONTROL or kind is _CONTROL:
        return True
    if previous is _PREPEND:
        return False
    if kind is _Kind.PICTOGRAPH:
        return not (previous is _JOINER and base is _Kind.PICTOGRAPH)
    if kind is _FLAG_LETTER:
        return not (previous is _FLAG_LETTER and is_second_flag_letter)
    return kind not in _AFTER.get(previous, ())


def _remember(character: str) -> _Kind:
    kind = _kinds[character] = _kind_of(character)
    return kind


def _kind_of(character: str) -> _Kind:
    if character == "\u200d":
        return _JOINER
    if "🇦" <= character <= "🇿":
        return _FLAG_LETTER
    if _EXTENDING.match(character):
        return _EXTEND
    if _PREPENDED.match(character):
        return _PREPEND
    if _PICTOGRAPHS.match(character):
        return _Kind.PICTOGRAPH
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Mc"}:
        return _EXTEND
    if category in _CONTROLS:
        return _CONTROL
    return _hangul_kind_of(character)


def _hangul_kind_of(character: str) -> _Kind:
    if "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c":
        return _Kind.HANGUL_LEAD
    if "\u1160" <= character <= "\u11a7" or "\ud7b0" <= character <= "\ud7c6":
        return _Kind.HANGUL_VOWEL
    if "\u11a8" <= character <= "\u11ff" or "\ud7cb" <= character <= "\ud7fb":
        return _Kind.HANGUL_TRAIL
    if "\uac00" <= character <= "\ud7a3":
        return _Kind.HANGUL_OPEN if (ord(character) - 0xAC00) % 28 == 0 else _Kind.HANGUL_CLOSED
    return _OTHER
