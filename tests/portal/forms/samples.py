"""Files of each type, small; and definitions to ask with."""

import io
import zipfile
from typing import Any

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 20
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n"
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
EXE = b"MZ\x90\x00\x03" + b"\x00" * 40

QUESTIONS: list[dict[str, Any]] = [
    {"key": "f1", "kind": "short_text", "label": "Name", "required": True, "saves_as": "name"},
    {"key": "f2", "kind": "phone", "label": "Phone", "required": True, "verify": True},
    {"key": "f3", "kind": "email", "label": "E-mail", "saves_as": "email"},
    {"key": "f4", "kind": "choice", "label": "Size", "options": ["S", "M", "L"]},
    {"key": "f5", "kind": "choices", "label": "Days", "options": ["Mon", "Tue", "Wed"], "max": 2},
    {"key": "f6", "kind": "date", "label": "Day"},
    {"key": "f7", "kind": "number", "label": "How many", "min": 1, "max": 10},
    {"key": "f8", "kind": "file", "label": "Photo", "accept": ["jpg", "png"], "max": 1},
    {"key": "f9", "kind": "consent", "label": "News", "wording": "Write to me.", "purpose": "marketing"},
    {"key": "f10", "kind": "long_text", "label": "Message", "max": 50},
]


def archive(*names: str) -> bytes:
    """Return a ZIP with these names in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as one:
        for name in names:
            one.writestr(name, "x")
    return written.getvalue()


def docx() -> bytes:
    return archive("[Content_Types].xml", "word/document.xml")
