"""Keeping files: written piece by piece as they arrive, so that the largest needs no more memory than the smallest."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from integrations.organizations.models import Organization, User, as_uuid

from .models import Upload, UploadChunk
from .problems import FileProblem

CHUNK = 256 * 1024  # bytes of each piece
_MOST_KEPT = 20  # times the limit of one file: what an organization may have lying here at once
_ABANDONED = timedelta(hours=1)  # after which a file whose end never came is forgotten


class UploadWriter:
    """Writes one file; until `finish` it counts as not there. Raises FileProblem as soon as it gets too large.

    Every piece is committed by itself: a slow sender must not hold a transaction open.
    """

    def __init__(self, organization: Organization, *, name: str, actor: User | None) -> None:
        self._organization, self._actor = organization, actor
        self._name = "".join(filter(str.isprintable, name)).strip()[-200:] or "file.csv"
        self._upload: Upload | None = None
        self._waiting = bytearray()
        self._count = self.size = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Take the next bytes of the file."""
        if not data:
            return
        self.size += len(data)
        if self.size > settings.UPLOAD_LIMIT:
            self.discard()
            raise too_large()
        self._upload = self._upload or self._begin()
        self._hash.update(data)
        self._waiting += data
        while len(self._waiting) >= CHUNK:
            self._store(self._upload, CHUNK)

    def finish(self) -> Upload:
        """Store what is left and return the file; raises FileProblem for an empty one."""
        if self._upload is None:
            raise FileProblem("empty", "This file is empty. Choose the file with your rows in it.")
        if self._waiting:
            self._store(self._upload, len(self._waiting))
        self._upload.size, self._upload.sha256 = self.size, self._hash.hexdigest()
        self._upload.finished_at = timezone.now()
        self._upload.save(update_fields=["size", "sha256", "finished_at"])
        return self._upload

    def discard(self) -> None:
        """Take back what was written."""
        self._waiting.clear()
        if self._upload is not None:
            self._upload.delete()
            self._upload = None

    def _begin(self) -> Upload:
        kept = Upload.objects.filter(organization=self._organization).aggregate(sum=Sum("size"))["sum"] or 0
        if kept > settings.UPLOAD_LIMIT * _MOST_KEPT:
            raise FileProblem(
                "too_many",
                "Your organization has uploaded very much lately. Files are forgotten after "
                f"{settings.UPLOAD_DAYS} days; upload this one then, or ask whoever runs this installation.",
            )
        return Upload.objects.create(organization=self._organization, name=self._name, created_by=self._actor)

    def _store(self, upload: Upload, length: int) -> None:
        UploadChunk.objects.create(upload=upload, number=self._count, data=bytes(self._waiting[:length]))
        del self._waiting[:length]
        self._count += 1


def store_upload(organization: Organization, *, file: Iterable[bytes], name: str, actor: User | None) -> Upload:
    """Keep a file that comes in pieces of any size; raises FileProblem for one that is empty or too large."""
    writer = UploadWriter(organization, name=name, actor=actor)
    for data in file:
        writer.write(data)
    return writer.finish()


def find_upload(organization: Organization, upload_id: object) -> Upload | None:
    """Return the organization's file of that id; None for another one's, a forgotten one, and for what is no id."""
    key = as_uuid(upload_id)
    if key is None:
        return None
    return Upload.objects.filter(organization=organization, pk=key, finished_at__isnull=False).first()


def forget_old_uploads() -> int:
    """Delete files that are too old, and those whose end never came; return how many."""
    now = timezone.now()
    too_old = Q(created_at__lt=now - timedelta(days=settings.UPLOAD_DAYS))
    abandoned = Q(finished_at=None, created_at__lt=now - _ABANDONED)
    count = 0
    for upload in Upload.objects.filter(too_old | abandoned).only("pk").iterator(chunk_size=100):
        upload.delete()
        count += 1
    return count


def limit_in_words() -> str:
    """Return the size a file may have: 50 MB."""
    return f"{settings.UPLOAD_LIMIT / 1_000_000:g} MB"


def too_large() -> FileProblem:
    """Return the problem of a file over the limit."""
    return FileProblem(
        "too_large",
        f"This file is larger than {limit_in_words()}. Split it into several files and upload them in turn.",
    )
