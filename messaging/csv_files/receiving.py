"""Receiving a file: straight from the socket into the database, for the views that ask for one and for no others.

`config.uploads.RefuseFiles` answers everywhere else. A view that takes a file is decorated, below `member_page`, so
that it is settled who sends before a byte is read:

    @member_page(Capability.EDIT_CONTACTS)
    @takes_file
    def upload(request): ...
"""

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from integrations.organizations.pages import MemberRequest

from .models import Upload
from .problems import FileProblem
from .storing import UploadWriter

View = Callable[..., HttpResponseBase]
# A file somewhat over the limit is read to its end, so that the browser hears our answer; a boundless one is not.
_READ_ANYWAY = 3


class ReceivedFile(UploadedFile):
    """What `request.FILES` holds: the stored file, or what is wrong with it."""

    def __init__(self, *, name: str, size: int, upload: Upload | None, problem: FileProblem | None) -> None:
        super().__init__(file=None, name=name, size=size)
        self.upload, self.problem = upload, problem


class StoreFile(FileUploadHandler):
    """Store the first file of a form; whatever other files come with it are passed over."""

    chunk_size = 64 * 1024

    def __init__(self, request: MemberRequest) -> None:
        super().__init__(request)
        self._sender = request
        self._writer: UploadWriter | None = None
        self._problem: FileProblem | None = None
        self._is_further = False
        self.received: Upload | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        # Django takes a file that is skipped after one that was taken for an interruption of both.
        self._is_further = self._writer is not None
        if not self._is_further:
            self._writer = UploadWriter(self._sender.organization, name=self.file_name or "", actor=self._sender.user)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start > settings.UPLOAD_LIMIT * _READ_ANYWAY:
            raise StopUpload(connection_reset=True)
        if self._problem is None and self._writer is not None and not self._is_further:
            try:
                self._writer.write(raw_data)
            except FileProblem as problem:
                self._problem = problem

    def file_complete(self, file_size: int) -> ReceivedFile | None:
        if self._is_further:
            return None
        if self._problem is None and self._writer is not None:
            try:
                self.received = self._writer.finish()
            except FileProblem as problem:
                self._problem = problem
        return ReceivedFile(
            name=self.file_name or "file", size=max(file_size, 1), upload=self.received, problem=self._problem
        )

    def upload_interrupted(self) -> None:
        self.discard()

    def discard(self) -> None:
        """Forget the file again, as nobody wants it."""
        if self._writer is not None:
            self._writer.discard()


def takes_file(view: View) -> View:
    """Let the view receive a file, kept only where the view answers with a redirect, that is, where it accepted it.

    The handler must be in place before anything looks at `request.POST`, the check against forged requests included:
    so that check is taken from the middleware and made here, as Django's documentation on upload handlers shows. It
    reads the form, and with it the file, before it can say no; what came with a forged request is forgotten again.
    """
    checked = csrf_protect(view)

    @csrf_exempt
    @functools.wraps(view)
    def receiving(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return checked(request, *args, **kwargs)
        handler = StoreFile(request)
        request.upload_handlers = [handler]
        is_wanted = False
        try:
            response = checked(request, *args, **kwargs)
            is_wanted = response.status_code == 302
        finally:
            if not is_wanted:
                handler.discard()
        return response

    return receiving
