"""How the letters of a file are written: found out from all of it, because the first “ü” may stand in its last row."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .problems import SAVE_AS_CSV, FileProblem

# What a member may choose where the guess is wrong: Python's name and ours.
ENCODINGS: dict[str, str] = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16-le": "Unicode (UTF-16, little endian)",
    "utf-16-be": "Unicode (UTF-16, big endian)",
    "gb18030": "Chinese (GB18030, GBK)",
    "cp1252": "Western European (Windows-1252)",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel, Numbers or ZIP file"),
    (b"PK\x05\x06", "a ZIP file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture, a sound or a film"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"Rar!", "a compressed file"),
)
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "a text document (RTF)"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
    (b"begin:vcard", "an address card (vCard)"),
)


@dataclass(frozen=True)
class Letters:
    """The encoding, and at which byte the text begins (behind the byte order mark); `lines` counts line feeds."""

    encoding: str
    start: int
    lines: int


def find_letters(read: Iterable[bytes], *, wanted: str = "") -> Letters:
    """Read a file to its end and return how its letters are written; raises FileProblem for what is no text.

    `wanted` is what a member chose instead of the guess: it is taken at its word, but must fit the whole file.
    """
    scan = _Scan(wanted)
    for piece in read:
        scan.take(piece)
    return scan.verdict()


class _Scan:
    """One pass over the file with all readings that may still be right."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._is_first = True
        self._start = self._lines = self._controls = self._size = 0
        self._readings: dict[str, codecs.IncrementalDecoder] = {}
        self._high = _HighBytes()

    def take(self, piece: bytes) -> None:
        if self._is_first:
            self._begin(piece)
            piece, self._is_first = piece[self._start :], False
        self._size += len(piece)
        self._lines += max(piece.count(b"\n"), piece.count(b"\r"))
        self._controls += len(piece) - len(piece.translate(None, _CONTROLS))
        if "utf-8" not in self._readings:
            self._high.take(piece)
        for encoding in tuple(self._readings):
            try:
                self._readings[encoding].decode(piece)
            except UnicodeDecodeError:
                del self._readings[encoding]
                if encoding == "utf-8":
                    self._high.take(piece)

    def verdict(self) -> Letters:
        for encoding in tuple(self._readings):
            try:
                self._readings[encoding].decode(b"", final=True)
            except UnicodeDecodeError as error:
                if encoding == "utf-8" and self._high.is_empty:
                    raise FileProblem(
                        "cut_off", "This file ends in the middle of a letter: its end is missing. Export it again."
                    ) from error
                del self._readings[encoding]
        if not self._size:
            raise FileProblem("empty", "This file is empty. Choose the file with your rows in it.")
        is_wide = any(name.startswith("utf-16") for name in self._readings)
        if not is_wide and self._controls > self._size // 20:
            raise FileProblem("not_text", f"This file holds no text, so it is no table. {SAVE_AS_CSV}")
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            if encoding in self._readings:
                return self._found(encoding)
        if self._wanted:
            if self._wanted in self._readings:
                return self._found(self._wanted)
            raise FileProblem("encoding", f"This file is not written in {ENCODINGS[self._wanted]}. Choose another one.")
        # Western letters stand alone among ASCII, Chinese ones come in pairs and rows.
        candidates = ("cp1252", "gb18030") if self._high.looks_western else ("gb18030",)
        for encoding in candidates:
            if encoding in self._readings:
                return self._found(encoding)
        raise FileProblem(
            "encoding", f"The letters of this file are written in a way that is not known here. {SAVE_AS_CSV}"
        )

    def _found(self, encoding: str) -> Letters:
        return Letters(encoding=encoding, start=self._start, lines=self._lines)

    def _begin(self, piece: bytes) -> None:
        words = piece[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
        for signature, what in (*_SIGNATURES, *_TEXTS):
            if (words if (signature, what) in _TEXTS else piece).startswith(signature):
                raise FileProblem("not_a_table", f"This is {what}, not a table in CSV. {SAVE_AS_CSV}")
        encodings: Iterable[str] = ("utf-8", "gb18030", "cp1252")
        for mark, encoding in _MARKS:
            if piece.startswith(mark):
                self._start, encodings = len(mark), (encoding,)
                break
        else:
            if wide := _wide_without_mark(piece):
                encodings = (wide,)
            if self._wanted:
                encodings = (self._wanted,)
        self._readings = {name: codecs.getincrementaldecoder(name)() for name in encodings}


_HIGH = re.compile(rb"[\x80-\xff]+")


class _HighBytes:
    """Counts bytes beyond ASCII, and how often one stands alone; looks at the first that come."""

    _ENOUGH = 20_000

    def __init__(self) -> None:
        self._high = self._runs = 0

    def take(self, piece: bytes) -> None:
        if self._high > self._ENOUGH:
            return
        runs = _HIGH.findall(piece)
        self._runs += len(runs)
        self._high += sum(map(len, runs))

    @property
    def is_empty(self) -> bool:
        return not self._runs

    @property
    def looks_western(self) -> bool:
        return bool(self._runs) and self._high / self._runs < 1.5


def _wide_without_mark(piece: bytes) -> str:
    """Return UTF-16's name where every other byte of many is zero, as in digits and separators."""
    head = piece[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half and odd > half // 5 and even < odd // 10 + 1:
        return "utf-16-le"
    if half and even > half // 5 and odd < even // 10 + 1:
        return "utf-16-be"
    return ""


def spoken(encoding: str) -> str:
    """Return the name of an encoding for people."""
    return ENCODINGS.get(encoding, encoding)


def _control_bytes() -> Iterator[int]:
    yield from (byte for byte in range(32) if byte not in b"\t\n\r\x0c\x1a")


_CONTROLS = bytes(_control_bytes())
