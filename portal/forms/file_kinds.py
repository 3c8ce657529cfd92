"""The types of files that a form takes, each known by what is in it: what only says that it is one is refused."""

import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LARGEST_MB = 10
MB = 1_000_000


@dataclass(frozen=True)
class FileKind:
    """A type: its name for people, its ending, what a browser's chooser is told, and how it is known."""

    name: str
    label: str
    endings: tuple[str, ...]
    mime: str
    is_one: Callable[[bytes], bool]


def kind_of(content: bytes) -> FileKind | None:
    """Return what the bytes are, None where they are nothing that any form takes."""
    return next((kind for kind in FILE_KINDS.values() if kind.is_one(content)), None)


def accept_of(names: Iterable[str]) -> str:
    """Return what a browser's chooser of files is told: .pdf,.jpg,.jpeg"""
    return ",".join(f".{ending}" for name in names if name in FILE_KINDS for ending in FILE_KINDS[name].endings)


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(marks)


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _is_heic(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"}


def _is_mp4(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in {b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V "}


def _is_office(folder: str) -> Callable[[bytes], bool]:
    def is_one(content: bytes) -> bool:
        names = _names_in(content)
        # A document with macros in it acts when it is opened: it is not taken for a plain one.
        has_macros = any(name.lower().endswith("vbaproject.bin") for name in names)
        return "[Content_Types].xml" in names and any(name.startswith(folder) for name in names) and not has_macros

    return is_one


def _is_open_document(what: bytes) -> Callable[[bytes], bool]:
    """The first entry of such an archive is its type, not packed (OpenDocument 1.3, part 2, 3.3)."""
    mark = b"mimetypeapplication/vnd.oasis.opendocument." + what
    return lambda content: content[:4] == b"PK\x03\x04" and content[30 : 30 + len(mark)] == mark


def _names_in(content: bytes) -> set[str]:
    """Return the names in a ZIP archive without unpacking anything of it; none where it is no archive."""
    if not content.startswith(b"PK\x03\x04"):
        return set()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return set(archive.namelist()[:5000])
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return set()


def _is_text(content: bytes) -> bool:
    """Plain words only: a page or a program in disguise begins like one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if not text.strip() or any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text):
        return False
    beginning = text.lstrip()[:500].lower()
    return not beginning.startswith(("<", "#!", "%!", "{\\rtf"))


# In the order in which they are tried: plain text is what nothing else is.
FILE_KINDS: dict[str, FileKind] = {
    kind.name: kind
    for kind in (
        FileKind("pdf", "PDF", ("pdf",), "application/pdf", _begins(b"%PDF-")),
        FileKind("jpg", "JPEG", ("jpg", "jpeg"), "image/jpeg", _begins(b"\xff\xd8\xff")),
        FileKind("png", "PNG", ("png",), "image/png", _begins(b"\x89PNG\r\n\x1a\n")),
        FileKind("gif", "GIF", ("gif",), "image/gif", _begins(b"GIF87a", b"GIF89a")),
        FileKind("webp", "WebP", ("webp",), "image/webp", _is_webp),
        FileKind("heic", "HEIC", ("heic", "heif"), "image/heic", _is_heic),
        FileKind("mp4", "MP4", ("mp4", "mov", "m4v"), "video/mp4", _is_mp4),
        FileKind(
            "docx",
            "Word",
            ("docx",),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            _is_office("word/"),
        ),
        FileKind(
            "xlsx",
            "Excel",
            ("xlsx",),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            _is_office("xl/"),
        ),
        FileKind("odt", "ODT", ("odt",), "application/vnd.oasis.opendocument.text", _is_open_document(b"text")),
        FileKind(
            "ods", "ODS", ("ods",), "application/vnd.oasis.opendocument.spreadsheet", _is_open_document(b"spreadsheet")
        ),
        FileKind("txt", "Text", ("txt", "csv"), "text/plain", _is_text),
    )
}
# What may be shown in a page; everything else is only given out to be saved.
PICTURES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
