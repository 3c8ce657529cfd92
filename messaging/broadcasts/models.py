"""Broadcasts: one text to many, who receives it, and what was handed in by the API."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.templates.models import Template, TemplateVersion


class Broadcast(models.Model):
    """One text to many people: from the draft over the check and the dry run to the last message."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        CHECKING = "checking", "Checking"
        READY = "ready", "Checked"
        RUNNING = "running", "Sending"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELED = "canceled", "Canceled"

    class Audience(models.TextChoices):
        CONTACTS = "contacts", "All contacts"
        TAG = "tag", "Contacts with a tag"
        FILTER = "filter", "A saved filter"
        CSV = "csv", "A CSV file"
        API = "api", "Recipients given by the API"
        RETRY = "retry", "Failed messages of another broadcast"

    class Purpose(models.TextChoices):
        TRANSACTIONAL = "transactional", "Transactional"
        MARKETING = "marketing", "Marketing"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="broadcasts", db_index=False)
    name = models.CharField(max_length=120)
    # The wording: a template, whose version is fixed when the check begins, or a text of its own.
    template = models.ForeignKey(Template, null=True, on_delete=models.SET_NULL, related_name="+")
    template_version = models.ForeignKey(TemplateVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField(blank=True)
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.TRANSACTIONAL)
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=34, blank=True)
    audience = models.CharField(max_length=12, choices=Audience)
    # What the audience is read from: ids, and the columns of a file. See `sources.py`.
    source = models.JSONField(default=dict)
    includes_landlines = models.BooleanField(default=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    # Of the check: its job, what came of it, and whether somebody chose to leave out the bad rows.
    check_job_id = models.UUIDField(null=True)
    check_error = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField(null=True)
    ready_count = models.PositiveIntegerField(default=0)
    left_out_count = models.PositiveIntegerField(default=0)
    bad_count = models.PositiveIntegerField(default=0)
    summary = models.JSONField(default=dict)
    skips_bad = models.BooleanField(default=False)
    starts_when_clean = models.BooleanField(default=False)
    # Of the feeder: the last row that became a message, how many did, and how fast they leave.
    fed_through = models.PositiveIntegerField(default=0)
    fed_count = models.PositiveIntegerField(default=0)
    pace = models.JSONField(default=list)
    paused_reason = models.CharField(max_length=40, blank=True)
    paused_detail = models.CharField(max_length=300, blank=True)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="retries")
    # The form that made it: submitted twice, it still makes one.
    request_id = models.UUIDField(null=True)
    created_by_id = models.UUIDField(null=True)
    created_by_label = models.CharField(max_length=200, blank=True)
    started_by_label = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="broadcast_newest_first"),
            models.Index(
                fields=["status"],
                condition=models.Q(status__in=["running", "paused", "canceled"]),
                name="broadcast_under_way",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "checking", "ready", "running", "paused", "done", "canceled"]),
                name="broadcast_status_known",
            ),
            models.UniqueConstraint(fields=["organization", "request_id"], name="broadcast_once_per_request"),
            models.UniqueConstraint(
                fields=["retry_of"],
                condition=~models.Q(status="canceled"),
                name="broadcast_sent_again_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """The wording with its variables."""
        return self.template_version.body if self.template_version else self.body

    @property
    def left_to_feed(self) -> int:
        """How many checked rows are no messages yet."""
        return max(0, self.ready_count - self.fed_count)


class Recipient(models.Model):
    """One row of a broadcast's source, as the check found it; what will be sent is frozen here."""

    class State(models.TextChoices):
        READY = "ready", "Ready"
        LEFT_OUT = "left_out", "Left out"
        BAD = "bad", "Wrong"

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    # The row's number as its source counts: the line of a file, the place in a list.
    row = models.PositiveIntegerField()
    phone = models.CharField(max_length=16, blank=True)
    region = models.CharField("country", max_length=3, blank=True)
    time_zones = models.CharField(max_length=200, blank=True, default="", db_default="")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    variables = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    encoding = models.CharField(max_length=6, blank=True)
    segments = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State)
    reason = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    # Which part of the row the reason concerns, and what stands there.
    field = models.CharField(max_length=80, blank=True)
    typed = models.CharField(max_length=120, blank=True)
    repeats_row = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["broadcast", "row"], name="recipient_row_once"),
            models.UniqueConstraint(
                fields=["broadcast", "phone"], condition=models.Q(state="ready"), name="recipient_phone_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["ready", "left_out", "bad"]), name="recipient_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["broadcast", "state", "reason", "row"],
                condition=~models.Q(state="ready"),
                name="recipient_not_sent_to",
            ),
            models.Index(fields=["contact"], condition=models.Q(contact__isnull=False), name="recipient_of_contact"),
        ]

    def __str__(self) -> str:
        return f"Row {self.row}, {mask_phone(self.phone)}" if self.phone else f"Row {self.row}"


class RecipientBatch(models.Model):
    """Recipients as one call of the API gave them, kept until the broadcast has started."""

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="batches", db_index=False)
    first_row = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    recipients = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "batch of recipients"
        verbose_name_plural = "batches of recipients"
        constraints = [models.UniqueConstraint(fields=["broadcast", "first_row"], name="batch_follows_batch")]

    def __str__(self) -> str:
        return f"Rows {self.first_row} to {self.first_row + self.count - 1}"
