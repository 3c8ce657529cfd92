"""What comes with messages: pictures and files, fetched from Twilio and kept here."""

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Organization
from messaging.sending.models import Message


class MessageMedia(models.Model):
    """One file of an incoming message: first only its address, then its content or the reason why there is none."""

    class State(models.TextChoices):
        WAITING = "waiting", "Being fetched"
        STORED = "stored", "Here"
        REFUSED = "refused", "Not taken"
        FAILED = "failed", "Could not be fetched"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="media")
    position = models.PositiveSmallIntegerField(default=0)
    url = models.CharField(max_length=500, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=20, blank=True)
    size = models.PositiveIntegerField(null=True)
    is_picture = models.BooleanField(default=False, help_text="It begins like the kind of picture it says it is.")
    content = models.BinaryField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "message medium"
        verbose_name_plural = "message media"
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="message_media_once"),
            models.CheckConstraint(
                condition=models.Q(state="stored", content__isnull=False)
                | (~models.Q(state="stored") & models.Q(content__isnull=True)),
                name="message_media_content_where_stored",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(state="waiting"), name="message_media_to_fetch")
        ]

    def __str__(self) -> str:
        return f"{self.content_type or 'file'} of a message"
