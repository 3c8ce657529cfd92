"""What limits the asking for codes: an organization's figures, counts of what was asked, and paused prefixes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from integrations.identifiers import new_id
from integrations.organizations.models import Organization, User

_FIGURES = (
    "number", "number_day", "resend", "ip", "network", "asker", "country", "day", "prefix", "pause", "address",
    "addresses",
)  # fmt: skip


class VerificationPolicy(models.Model):
    """The figures that an organization set for itself, and the countries it picked; empty means that of `limits.py`."""

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="verification_policy")
    number = models.PositiveIntegerField(null=True, blank=True)
    number_day = models.PositiveIntegerField(null=True, blank=True)
    resend = models.PositiveIntegerField(null=True, blank=True)
    ip = models.PositiveIntegerField(null=True, blank=True)
    network = models.PositiveIntegerField(null=True, blank=True)
    asker = models.PositiveIntegerField(null=True, blank=True)
    country = models.PositiveIntegerField(null=True, blank=True)
    day = models.PositiveIntegerField(null=True, blank=True)
    prefix = models.PositiveIntegerField(null=True, blank=True)
    pause = models.PositiveIntegerField(null=True, blank=True)
    address = models.PositiveIntegerField("e-mail address", null=True, blank=True)
    addresses = models.PositiveIntegerField("all e-mail addresses", null=True, blank=True)
    regions = ArrayField(models.CharField(max_length=2), default=list, blank=True)

    class Meta:
        verbose_name = "verification limits"
        verbose_name_plural = "verification limits"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(*(models.Q(**{name: None}) | models.Q(**{f"{name}__gte": 1}) for name in _FIGURES)),
                name="verificationpolicy_lets_pass",
            ),
        ]

    def __str__(self) -> str:
        return "verification limits"


class LimitCount(models.Model):
    """How much was asked for of late by one number, address, network, asker, block of numbers, country or all together.

    Each figure is a moving sum: what is older weighs less (see counting.py), so that one row a key is enough, and no
    full hour begins at which everything is free again. `key` is a keyed hash where it would name a person.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    scope = models.CharField(max_length=12)
    key = models.CharField(max_length=50, blank=True)
    at = models.DateTimeField()
    asked = models.FloatField(default=0.0, db_default=0.0)
    sent = models.FloatField(default=0.0, db_default=0.0)
    approved = models.FloatField(default=0.0, db_default=0.0)
    # Sent within minutes: whether it will be confirmed cannot be known yet.
    fresh = models.FloatField(default=0.0, db_default=0.0)
    # Sent while the brake was on, within a minute.
    paced = models.FloatField(default=0.0, db_default=0.0)
    usual_sent = models.FloatField(default=0.0, db_default=0.0)
    usual_approved = models.FloatField(default=0.0, db_default=0.0)
    # Of a number: what else its last code was counted by.
    origin = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    # When somebody was last refused because of it, where admins have to hear of that.
    held_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "count of codes"
        verbose_name_plural = "counts of codes"
        constraints = [
            models.UniqueConstraint(fields=["organization", "scope", "key"], name="limitcount_once_per_key"),
        ]
        indexes = [
            models.Index(fields=["at"], name="limitcount_forgotten"),
            models.Index(fields=["held_at"], condition=models.Q(held_at__isnull=False), name="limitcount_held"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}".strip()


class PausedPrefix(models.Model):
    """Numbers with a common beginning that get no codes for a while, because too many were not confirmed."""

    class Reason(models.TextChoices):
        GROWTH = "growth", "Sudden growth"
        CONVERSION = "conversion", "Falling conversion"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    prefix = models.CharField(max_length=16)
    region = models.CharField("country", max_length=3, blank=True)
    reason = models.CharField(max_length=12, choices=Reason)
    # Codes of the last hour when it was paused, and how many of them were confirmed.
    sent = models.PositiveIntegerField()
    approved = models.PositiveIntegerField()
    paused_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta:
        verbose_name = "paused prefix"
        verbose_name_plural = "paused prefixes"
        indexes = [
            models.Index(fields=["organization", "prefix"], name="pausedprefix_of_number"),
            models.Index(fields=["until"], condition=models.Q(released_at=None), name="pausedprefix_standing"),
        ]

    def __str__(self) -> str:
        return self.prefix


class SpentProof(models.Model):
    """A challenge that was solved, or a wait that was over: good for one request and no other."""

    id = models.BigAutoField(primary_key=True)
    proof = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "spent proof"
        verbose_name_plural = "spent proofs"

    def __str__(self) -> str:
        return f"spent until {self.expires_at:%H:%M}"
