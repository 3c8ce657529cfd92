"""Files that members upload, kept in the database: the web and the worker that reads them may be on different hosts."""

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Organization, User


class Upload(models.Model):
    """One file as it came; forgotten after some days, because people's data stand in it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="uploads")
    name = models.CharField("file", max_length=200)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text="When the last byte was there; a file without it is not read."
    )

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="upload_newest_first"),
            models.Index(fields=["created_at"], name="upload_by_age"),
        ]

    def __str__(self) -> str:
        return self.name


class UploadChunk(models.Model):
    """A piece of a file. All but the last are equally long: any byte is found without reading what is before it."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = "piece of an upload"
        verbose_name_plural = "pieces of uploads"
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="upload_chunk_once")]

    def __str__(self) -> str:
        return f"Piece {self.number}"
