"""Uploads: nobody may send files, except to a page that takes them and says how large."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class RefuseFiles(FileUploadHandler):
    """Stop reading at the first byte of a file; Django's own handlers would write it to disk, whatever its size."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> Any:
        return None
