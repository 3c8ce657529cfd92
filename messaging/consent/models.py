"""Opt-outs: who asked not to be written to, since when and how far it reaches."""

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization


class OptOut(models.Model):
    """One opt-out of one number, from its start to its end; the row stays as history."""

    class Scope(models.TextChoices):
        ORGANIZATION = "organization", "Everything the organization sends"
        SENDER = "sender", "One sender or Messaging Service"

    class Source(models.TextChoices):
        KEYWORD = "keyword", "Keyword in a reply"
        TWILIO = "twilio", "Twilio refused the number"
        STAFF = "staff", "A member"
        API = "api", "API"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="opt_outs")
    phone = models.CharField(max_length=16)
    channel = models.CharField(max_length=12, default="sms")
    scope = models.CharField(max_length=16, choices=Scope, default=Scope.ORGANIZATION)
    sender = models.CharField(
        max_length=34, blank=True, help_text="With the narrow scope: the number or Messaging Service it covers."
    )
    source = models.CharField(max_length=12, choices=Source)
    keyword = models.CharField(max_length=40, blank=True)
    twilio_scope = models.CharField(
        "scope at Twilio", max_length=34, blank=True, help_text="The sender or Messaging Service that Twilio blocks."
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=12, choices=Source, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "phone", "channel", "scope", "sender"],
                condition=models.Q(ended_at=None),
                name="opt_out_once_while_it_lasts",
            ),
            models.CheckConstraint(
                condition=models.Q(scope="organization", sender="") | (models.Q(scope="sender") & ~models.Q(sender="")),
                name="opt_out_sender_with_narrow_scope_only",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-started_at"], name="opt_out_newest_first")]

    def __str__(self) -> str:
        return f"Opt-out of {mask_phone(self.phone)}"

    @property
    def is_active(self) -> bool:
        return self.ended_at is None

    @property
    def locked_because(self) -> str:
        """Why no member can end it, in a sentence; "" where one can, because a member made it."""
        if self.source == self.Source.STAFF:
            return ""
        if self.source == self.Source.API:
            return "Recorded through the API: the system that recorded it can end it, or the person texts START."
        return "Only the person can undo this, by texting START to your number. No member can do it for them."
