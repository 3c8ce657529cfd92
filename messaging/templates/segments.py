"""How a text is cut into SMS segments: its encoding, its length in the units that are counted, and what is left.

GSM 03.38 holds 160 septets, or 153 in each part of a longer text; characters of its extension table take two, which
stay together. One character outside it turns the whole text into UCS-2: 70 UTF-16 units, or 67 a part.
https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from .graphemes import split_graphemes
from .smart_encoding import SMART_ENCODING, smart_encode

GSM_7 = "GSM-7"
UCS_2 = "UCS-2"
LONGEST_TEXT = 1600  # characters; Twilio refuses more with 21617, however they are encoded

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"
_NOT_GSM = re.compile(f"[^{re.escape(_BASIC + _EXTENDED)}]")
_ESCAPED = re.compile(f"[{re.escape(_EXTENDED)}]")
# Deleting what is allowed from an ASCII text, in bytes, is several times faster than looking at each character.
_ASCII_BASIC = "".join(character for character in _BASIC if character.isascii()).encode()
# Most writing has nothing that joins its neighbours. It is told here by blocks, so that a broadcast in Russian, Arabic
# or Chinese need not walk every text character by character: what is not listed may join, and is looked at closely.
_MAY_JOIN = re.compile(
    "[^\\x00-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05ea\u061b-\u064a\u0660-\u066f\u0671-\u06d5"
    "\u10a0-\u10ff\u1e00-\u200b\u2010-\u20cf\u2100-\u2bff\u3000-\u3029\u3030-\u3098\u309b-\ua66e\uac00-\ud7a3"
    "\uf900-\ufaff\uff00-\uff9d\U0001f300-\U0001f3fa\U0001f400-\U0001faff]"
)


@dataclass(frozen=True)
class ForcingCharacter:
    """A character that cannot be sent in GSM-7; `position` is the index of its first occurrence in the text."""

    char: str
    name: str
    position: int
    count: int


@dataclass(frozen=True)
class Measurement:
    """What a text takes to send.

    `units` are those of the text as it is sent: septets (an escaped character is two) or UTF-16 units. `characters`
    are those of the text as written, the ones that Twilio's limit counts.
    `per_segment` is what a segment holds here, in units, and `remaining` what still fits into the last one.
    """

    encoding: str
    segments: int
    units: int
    characters: int
    per_segment: int
    remaining: int
    text: str = field(repr=False)
    smart_encoding: bool = False

    @property
    def too_long(self) -> bool:
        """Tell whether Twilio would refuse the text for its length."""
        return self.characters > LONGEST_TEXT

    @property
    def code_units(self) -> int:
        """The UTF-16 units of the text as written, whatever the encoding."""
        return _utf16_length(self.text)

    @cached_property
    def forcing(self) -> tuple[ForcingCharacter, ...]:
        """The characters that force UCS-2, in order of appearance; empty in GSM-7. Worked out when first asked for."""
        return () if self.encoding == GSM_7 else tuple(_find_forcing(self.text, smart_encoding=self.smart_encoding))


def measure(text: str, *, smart_encoding: bool = False) -> Measurement:
    """Measure a text; with `smart_encoding` as Twilio sends it after replacing typographic characters.

    An empty text is one segment of GSM-7.
    """
    sent = smart_encode(text) if smart_encoding else text
    if sent.isascii() and not sent.encode().translate(None, _ASCII_BASIC):
        units = len(sent)
        segments, per_segment, remaining = _cut_evenly(units, single=160, part=153)
        encoding = GSM_7
    elif not _NOT_GSM.search(sent):
        encoding = GSM_7
        units = len(sent) + len(_ESCAPED.findall(sent))
        if units <= 160 or units == len(sent):
            segments, per_segment, remaining = _cut_evenly(units, single=160, part=153)
        else:
            sizes = (2 if character in _EXTENDED else 1 for character in sent)
            segments, per_segment, remaining = _pack(sizes, part=153)
    else:
        encoding = UCS_2
        units = _utf16_length(sent)
        if units <= 70 or (units == len(sent) and not _MAY_JOIN.search(sent)):
            segments, per_segment, remaining = _cut_evenly(units, single=70, part=67)
        else:
            segments, per_segment, remaining = _pack(_grapheme_sizes(sent, part=67), part=67)
    return Measurement(encoding, segments, units, len(text), per_segment, remaining, text, smart_encoding)


def suggest_plain(text: str) -> str | None:
    """Return the text in plain characters where that takes it from UCS-2 to GSM-7, else None.

    Composes accents first (e + ◌́ is the GSM-7 é). Odd spaces and tabs become one space, where Smart Encoding would
    write two or seven: an author who is asked means one.
    """
    if not _NOT_GSM.search(text):
        return None
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(
        " " if len(replacement) > 1 and replacement.isspace() else replacement
        for replacement in (SMART_ENCODING.get(character, character) for character in composed)
    )
    return None if _NOT_GSM.search(plain) else plain


def _cut_evenly(units: int, *, single: int, part: int) -> tuple[int, int, int]:
    """Cut a text in which everything is one unit: return segments, units a segment holds, units left in the last."""
    if units <= single:
        return 1, single, single - units
    segments = -(-units // part)
    return segments, part, segments * part - units


def _pack(sizes: Iterator[int], *, part: int) -> tuple[int, int, int]:
    """Fill segments with pieces that stay whole; return the same as `_cut_evenly`."""
    segments, room = 1, part
    for size in sizes:
        if size > room:
            segments, room = segments + 1, part
        room -= size
    return segments, part, room


def _utf16_length(text: str) -> int:
    return len(text) + (0 if text.isascii() else sum(character > "\uffff" for character in text))


def _grapheme_sizes(text: str, *, part: int) -> Iterator[int]:
    """Yield the UTF-16 length of each grapheme; one that fits into no segment is cut between its characters."""
    if not _MAY_JOIN.search(text):
        yield from (2 if character > "\uffff" else 1 for character in text)
        return
    for grapheme in split_graphemes(text):
        size = 1 if len(grapheme) == 1 and grapheme <= "\uffff" else _utf16_length(grapheme)
        if size <= part:
            yield size
        else:
            yield from (_utf16_length(character) for character in grapheme)


def _find_forcing(text: str, *, smart_encoding: bool) -> Iterator[ForcingCharacter]:
    found: dict[str, tuple[int, int]] = {}
    position = 0
    for grapheme in split_graphemes(text):
        if _NOT_GSM.search(smart_encode(grapheme) if smart_encoding else grapheme):
            first, count = found.get(grapheme, (position, 0))
            found[grapheme] = (first, count + 1)
        position += len(grapheme)
    for grapheme, (first, count) in found.items():
        yield ForcingCharacter(char=grapheme, name=_name_of(grapheme), position=first, count=count)


# Characters that Unicode gives no name of their own, and those whose name says little.
_NAMES = {"\t": "tab", "\x00": "null character", "\x1b": "escape", "\u00a0": "no-break space", "`": "backtick"}


def _name_of(grapheme: str) -> str:
    """Name a grapheme after its first character that is not in GSM-7; a flag after its letters."""
    letters = [chr(ord(character) - 0x1F1E6 + ord("A")) for character in grapheme if "🇦" <= character <= "🇿"]
    if len(letters) == 2:
        return f"flag {''.join(letters)}"
    first = next(character for character in grapheme if _NOT_GSM.match(character))
    name = _NAMES.get(first) or unicodedata.name(first, "").lower()
    return name or f"character U+{ord(first):04X}"
