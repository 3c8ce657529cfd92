"""The bytes of an upload as a file object, from any byte on: each piece is fetched when it is needed."""

import io
from collections.abc import Iterator

from .models import Upload, UploadChunk
from .problems import FileProblem
from .storing import CHUNK


def piece(upload: Upload, number: int) -> bytes:
    """Return one piece; raises FileProblem where the file was forgotten meanwhile."""
    found = UploadChunk.objects.filter(upload=upload, number=number).values_list("data", flat=True).first()
    if found is None:
        raise FileProblem(
            "forgotten", "The uploaded file is not here any more: files are kept for some days only. Upload it again."
        )
    return bytes(found)


def pieces(upload: Upload) -> Iterator[bytes]:
    """Yield the file from its first byte to its last, a piece at a time."""
    for number in range(-(-upload.size // CHUNK)):
        yield piece(upload, number)


class UploadBytes(io.RawIOBase):
    """Reads an upload from `offset` on."""

    def __init__(self, upload: Upload, *, offset: int = 0) -> None:
        self._upload, self._at = upload, offset
        self._number, self._piece = -1, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._upload.size:
            return 0
        number, start = divmod(self._at, CHUNK)
        if number != self._number:
            self._number, self._piece = number, piece(self._upload, number)
        taken = self._piece[start : start + len(buffer)]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)
