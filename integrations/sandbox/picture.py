"""The picture that a virtual phone sends: small, made here, and in the form in which files travel to the sandbox."""

import base64
import struct
import zlib

_WIDTH, _HEIGHT = 160, 120
_SUN = (112, 40, 22)  # centre and radius


def sample_picture() -> dict[str, str]:
    """Return a PNG of a sun above the sea, as the sandbox's control API takes files."""
    return {"content_type": "image/png", "data": base64.b64encode(_png()).decode()}


def _png() -> bytes:
    rows = b"".join(b"\0" + b"".join(bytes(_colour(x, y)) for x in range(_WIDTH)) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _colour(x: int, y: int) -> tuple[int, int, int]:
    centre_x, centre_y, radius = _SUN
    if (x - centre_x) ** 2 + (y - centre_y) ** 2 <= radius**2:
        return 250, 214, 116
    if y > 80:
        return 31, 102 - (y - 80) // 2, 181 - (y - 80)
    return 234 - y // 2, 243 - y // 3, 252
