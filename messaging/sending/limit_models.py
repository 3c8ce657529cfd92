"""What keeps sending within limits: an organization's policy, its use of the day, and the pace of its senders."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from integrations.connections.models import Connection
from integrations.organizations.models import Organization


class SendingPolicy(models.Model):
    """What an organization allows itself: how many messages a day, at which hours, to which countries.

    One row for each organization that ever changed something; without one nothing is limited.
    """

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="sending_policy")
    daily_cap = models.PositiveIntegerField("messages a day", null=True, blank=True)
    is_quiet = models.BooleanField("quiet hours", default=False)
    quiet_from = models.TimeField(default=time(20))
    quiet_until = models.TimeField(default=time(8))
    blocked_regions = ArrayField(models.CharField(max_length=3), default=list, blank=True)

    class Meta:
        verbose_name_plural = "sending policies"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(quiet_from=models.F("quiet_until")), name="sendingpolicy_quiet_hours_end"
            ),
        ]

    def __str__(self) -> str:
        return "sending limits"


class DailyUse(models.Model):
    """How many messages an organization with a cap handed over on one of its days, counted at the claim."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "day"], name="dailyuse_once_a_day")]

    def __str__(self) -> str:
        return f"{self.used} on {self.day}"


class Pace(models.Model):
    """How fast a connection (`sender` is empty) or one of its senders may go, and when its next message may start.

    `mps` is what a member set for the sender; for the connection that is `Connection.mps`. `slowed_…` is what Twilio's
    complaints taught: lowered to a rate, from another one, at a time from which it recovers.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="paces", db_index=False)
    sender = models.CharField(max_length=34, blank=True)
    mps = models.DecimalField("messages per second", max_digits=7, decimal_places=2, null=True, blank=True)
    next_at = models.DateTimeField(db_default=Now())
    slowed_to = models.FloatField(null=True)
    slowed_from = models.FloatField(null=True)
    slowed_code = models.IntegerField(null=True)
    slowed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "sender"], name="pace_once_per_sender"),
            models.CheckConstraint(condition=models.Q(mps=None) | models.Q(mps__gt=0), name="pace_moves"),
        ]

    def __str__(self) -> str:
        return f"pace of {self.sender or 'the connection'}"
