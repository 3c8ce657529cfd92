"""Receiving files: in memory, each no larger than a form may take, so that nothing is written before it was looked at.

`config.uploads.RefuseFiles` answers everywhere else. A view that takes files sets the handler before anything looks at
`request.POST`:

    request.upload_handlers = [KeepSmallFiles(request)]

and reads `sent_files(request)`. Behind a check against forged requests that means `takes_files`, as its text says.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from .answers import SentFile
from .definition import MOST_FILES
from .file_kinds import LARGEST_MB, MB

View = Callable[..., HttpResponseBase]
LARGEST = LARGEST_MB * MB
# What is somewhat too large is read to its end, so that the browser hears our answer; a boundless body is not.
_MOST_READ = LARGEST * (MOST_FILES + 1)


class KeptInMemory(UploadedFile):
    """What `request.FILES` holds; `sent.content` is None where the file was too large."""

    def __init__(self, sent: SentFile) -> None:
        super().__init__(file=None, name=sent.name or "file", size=len(sent.content or b""))
        self.sent = sent


class KeepSmallFiles(FileUploadHandler):
    """Keep at most five files of at most ten megabytes; of a larger one only that it was too large."""

    chunk_size = 64 * 1024

    def __init__(self, request: HttpRequest | None = None, *, largest: int = LARGEST) -> None:
        super().__init__(request)
        self._largest = largest
        self._read = self._count = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._given = ""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._count += 1
        self._pieces, self._size, self._given = [], 0, str(self.file_name or "")[:300]

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._read += len(raw_data)
        if self._read > _MOST_READ:
            raise StopUpload(connection_reset=True)
        self._size += len(raw_data)
        if self._size > self._largest or self._count > MOST_FILES:
            self._pieces = []
        else:
            self._pieces.append(raw_data)

    def file_complete(self, file_size: int) -> KeptInMemory | None:
        if self._count > MOST_FILES:
            return None
        content = None if self._size > self._largest else b"".join(self._pieces)
        self._pieces = []
        return KeptInMemory(SentFile(name=self._given, content=content))


def sent_files(request: HttpRequest) -> dict[str, SentFile]:
    """Return the files of the request by the names of their fields."""
    files = request.FILES.items()
    return {name: file.sent for name, file in files if isinstance(file, KeptInMemory)}


def takes_files(view: View) -> View:
    """Let a member's page receive files; the check against forged requests is made behind the handler."""
    checked = csrf_protect(view)

    @csrf_exempt
    @functools.wraps(view)
    def receiving(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            request.upload_handlers = [KeepSmallFiles(request)]
        return checked(request, *args, **kwargs)

    return receiving
