"""Imports of contacts and of opt-outs: which file, how it was understood, how far it is and what came of it."""

from typing import Any

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Organization, User
from messaging.csv_files.models import Upload
from messaging.jobs.models import Job


class ContactImport(models.Model):
    """One file on its way into the address book. The row outlives the file, whose rows are forgotten with it.

    `reading`, `mapping` and `options` are what the member decided; `progress` is where the present pass over the file
    is, and `counts` what the last one found.
    """

    class Kind(models.TextChoices):
        CONTACTS = "contacts", "Contacts"
        OPT_OUTS = "opt_outs", "Opt-outs"

    class State(models.TextChoices):
        MAPPING = "mapping", "Columns to be chosen"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        RUNNING = "running", "Being imported"
        DONE = "done", "Imported"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contact_imports")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.CONTACTS)
    upload = models.ForeignKey(Upload, null=True, on_delete=models.SET_NULL, related_name="+")
    file_name = models.CharField("file", max_length=200)
    file_sha256 = models.CharField("SHA-256 of the file", max_length=64)
    reading = models.JSONField(default=dict, editable=False)
    inspection = models.JSONField(default=dict, editable=False)
    mapping = models.JSONField(default=dict, editable=False)
    options = models.JSONField(default=dict, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.MAPPING)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    progress = models.JSONField(default=dict, editable=False)
    counts = models.JSONField(default=dict, editable=False)
    first_wrong = models.JSONField(default=list, editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "import"
        indexes = [models.Index(fields=["organization", "-id"], name="import_newest_first")]

    def __str__(self) -> str:
        return f"Import of {self.file_name}"

    @property
    def is_of_opt_outs(self) -> bool:
        return self.kind == self.Kind.OPT_OUTS

    @property
    def is_at_work(self) -> bool:
        return self.state in {self.State.CHECKING, self.State.RUNNING} and self.job is not None and self.job.is_active

    @property
    def has_stopped(self) -> bool:
        """Whether a pass over the file ended before its end: stopped by a member, or failed."""
        return self.state in {self.State.CHECKING, self.State.RUNNING} and not self.is_at_work

    @property
    def good_count(self) -> int:
        """Rows that are taken."""
        counts: dict[str, Any] = self.counts
        names = ("new_opt_outs",) if self.is_of_opt_outs else ("new", "updates", "unchanged", "skipped")
        return sum(int(counts.get(name, 0)) for name in names)

    @property
    def wrong_count(self) -> int:
        """Rows that are not taken: those with something wrong, and repetitions of a number."""
        counts: dict[str, Any] = self.counts
        return int(counts.get("bad", 0)) + int(counts.get("repeated", 0))


class ImportedNumber(models.Model):
    """The row of a file in which a number stands first; later rows with it are repetitions. Goes with the file."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="numbers", db_index=False)
    phone = models.CharField(max_length=16)
    row = models.PositiveIntegerField()

    class Meta:
        verbose_name = "number of a file"
        verbose_name_plural = "numbers of files"
        constraints = [models.UniqueConstraint(fields=["upload", "phone"], name="imported_number_once_per_file")]

    def __str__(self) -> str:
        return f"Row {self.row}"
