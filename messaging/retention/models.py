"""How long texts, verifications, submissions and runs are kept, and what Twilio still has to be told to remove."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.identifiers import new_id
from integrations.organizations.models import Organization
from messaging.sending.models import Message

LEAST_DAYS, MOST_DAYS = 1, 3650


class RetentionPolicy(models.Model):
    """After how many days what an organization has is removed, None where it is kept; a row only once that was set.

    Texts of messages are removed here and at Twilio; verifications, submissions and runs are deleted as a whole.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="retention_policy")
    days = models.PositiveSmallIntegerField(
        "days texts are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
    )
    verification_days = models.PositiveSmallIntegerField(
        "days verifications are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
    )
    submission_days = models.PositiveSmallIntegerField(
        "days submissions are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
    )
    run_days = models.PositiveSmallIntegerField(
        "days runs of automations are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "data retention"
        verbose_name_plural = "data retention"

    def __str__(self) -> str:
        return f"texts kept for {self.days} days" if self.days else "texts kept"


class TwilioRemoval(models.Model):
    """A message of which Twilio still has the text, or all, and shall not: gone as soon as Twilio did it."""

    class What(models.TextChoices):
        TEXT = "text", "The text"
        MESSAGE = "message", "The whole message"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", db_index=False)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="removals")
    sid = models.CharField("SID", max_length=34)
    what = models.CharField(max_length=8, choices=What)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, default=timezone.now)
    error_code = models.IntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "removal at Twilio"
        verbose_name_plural = "removals at Twilio"
        constraints = [models.UniqueConstraint(fields=["sid", "what"], name="twilio_removal_once")]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=models.Q(next_try_at__isnull=False), name="twilio_removal_due"
            ),
            models.Index(fields=["organization", "-id"], name="twilio_removal_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} of {self.sid}"

    @property
    def is_given_up(self) -> bool:
        return self.next_try_at is None
