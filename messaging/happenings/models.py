"""What happened to an organization, kept until whoever listens has heard of it."""

from django.db import models
from django.db.models.functions import Now

from integrations.organizations.models import Organization


class Happening(models.Model):
    """Something that somebody listens to, written in the transaction in which it took place.

    `data` are the fields that listeners read, without what the contact's row says anyway. `cause` is the run of an
    automation that brought it about, so that no automation drives itself in a circle.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    contact_id = models.UUIDField(null=True)
    phone = models.CharField(max_length=16, blank=True, default="", db_default="")
    data = models.JSONField(default=dict, db_default={})
    cause = models.UUIDField(null=True)
    at = models.DateTimeField(db_default=Now())
    heard_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(heard_at=None), name="happening_unheard"),
            models.Index(fields=["heard_at"], condition=models.Q(heard_at__isnull=False), name="happening_heard"),
            # Who is erased is found by these.
            models.Index(
                fields=["contact_id"], condition=models.Q(contact_id__isnull=False), name="happening_of_contact"
            ),
            models.Index(fields=["phone"], condition=~models.Q(phone=""), name="happening_of_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class Listener(models.Model):
    """Somebody who wants to hear of a kind of happening; nothing is kept of what nobody listens to."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    owner = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "kind", "owner"], name="listener_once")]
        indexes = [models.Index(fields=["owner"], name="listener_of_owner")]

    def __str__(self) -> str:
        return self.kind
