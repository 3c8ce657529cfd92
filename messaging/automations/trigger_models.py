"""What triggers keep: addresses for webhooks and what came in by them, states of thresholds, events of the API."""

from django.db import models
from django.utils import timezone

from integrations.encryption import SecretField
from integrations.identifiers import new_id
from integrations.organizations.models import Organization

from .models import Automation


class AutomationHook(models.Model):
    """The address of an automation for webhooks of others, and the secret by which they are believed.

    After a rotation the former secret is believed as well, until `former_until`. `shape` has the paths and types that
    samples showed, so that fields can be picked when the samples themselves are gone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    automation = models.OneToOneField(Automation, on_delete=models.CASCADE, related_name="hook")
    key = models.CharField(max_length=64, unique=True)
    secret = SecretField()
    former_secret = SecretField()
    former_until = models.DateTimeField(null=True)
    rotated_at = models.DateTimeField(null=True)
    shape = models.JSONField(default=dict)
    sampled_at = models.DateTimeField(null=True)
    refused_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Webhook of {self.automation}"


class HookSample(models.Model):
    """One of the last payloads that came, as the fields that can be picked."""

    id = models.BigAutoField(primary_key=True)
    hook = models.ForeignKey(AutomationHook, on_delete=models.CASCADE, related_name="samples", db_index=False)
    payload = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["hook", "-id"], name="hook_sample_newest"),
            models.Index(fields=["at"], name="hook_sample_by_age"),
        ]

    def __str__(self) -> str:
        return f"Payload of {self.at:%Y-%m-%d %H:%M}"


class HookCall(models.Model):
    """A call that was taken, by the hash of its Idempotency-Key, its body or its signature: again it begins nothing."""

    id = models.BigAutoField(primary_key=True)
    hook = models.ForeignKey(AutomationHook, on_delete=models.CASCADE, related_name="calls", db_index=False)
    digest = models.CharField(max_length=66)
    # No foreign key: runs are deleted by the thousand when their time is over, and this row is gone long before.
    run_id = models.UUIDField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hook", "digest"], name="hook_call_once")]
        indexes = [
            models.Index(fields=["at"], name="hook_call_by_age"),
        ]

    def __str__(self) -> str:
        return f"Call of {self.at:%Y-%m-%d %H:%M}"


class HookRefusal(models.Model):
    """A call that was refused, and why: what whoever builds the automation reads when nothing arrives."""

    id = models.BigAutoField(primary_key=True)
    hook = models.ForeignKey(AutomationHook, on_delete=models.CASCADE, related_name="refusals", db_index=False)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=400, blank=True)
    ip = models.CharField("IP address, shortened", max_length=60, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["hook", "-id"], name="hook_refusal_newest")]

    def __str__(self) -> str:
        return f"{self.status} {self.code}"


class ThresholdState(models.Model):
    """Where one subject of a threshold stands: over the limit or not, and when it last set the automation off."""

    id = models.BigAutoField(primary_key=True)
    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject = models.CharField(max_length=120, blank=True)
    is_over = models.BooleanField(default=False)
    value = models.FloatField(null=True)
    # Crossings since the last run that began none, because of the pause.
    held_back = models.PositiveIntegerField(default=0)
    fired_at = models.DateTimeField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["automation", "subject"], name="threshold_once_per_subject")]
        indexes = [models.Index(fields=["at"], name="threshold_by_age")]

    def __str__(self) -> str:
        return self.subject or "the only subject"


class SeenEvent(models.Model):
    """A name under which events came by the API, and what the last one brought: for picking both in the builder."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    sample = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="event_once_per_name")]

    def __str__(self) -> str:
        return self.name
