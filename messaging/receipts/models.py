"""Twilio's callbacks, stored as they came before anybody interprets them."""

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from integrations.connections.models import Connection


class Callback(models.Model):
    """One genuine status callback or inbound webhook, raw; `outcome` tells what came of it."""

    class Kind(models.TextChoices):
        STATUS = "status", "Status"
        INBOUND = "inbound", "Inbound message"

    class Outcome(models.TextChoices):
        PENDING = "", "Waiting"
        APPLIED = "applied", "Applied"
        NOTHING_NEW = "nothing_new", "Nothing new"
        UNKNOWN_MESSAGE = "unknown_message", "No such message"
        CONTRADICTS = "contradicts", "Contradicts the stored SID"
        UNREADABLE = "unreadable", "Not understood"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="callbacks", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    message_id = models.UUIDField(null=True, db_index=True)
    params = models.JSONField(default=dict)
    idempotency_token = models.CharField(max_length=64, blank=True)
    checked_with = models.CharField(max_length=24)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(outcome=""), name="callback_pending"),
            models.Index(fields=["connection", "-id"], name="callback_newest_first"),
            models.Index(
                KeyTextTransform("From", "params"), condition=models.Q(kind="inbound"), name="callback_by_writer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} callback {self.pk}"
