"""Platform SMS: who carries it where, what each organization set for it, and the credits that pay it.

The ledger is only added to.
"""

from decimal import Decimal

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import Organization

# What stands in the place of a sender: whose account and number carry platform SMS is the operator's affair.
PLATFORM_SENDER = "Platform SMS"
CREDITS = "credits"  # in the place of a currency


class CreditAccount(models.Model):
    """An organization's credits; the balance is always the sum of the entries, and never below zero."""

    id = models.BigAutoField(primary_key=True)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="credit_account")
    balance = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(balance__gte=0), name="credits_never_below_zero")]

    def __str__(self) -> str:
        return f"Credits of {self.organization}"


class CreditEntry(models.Model):
    """One movement of credits. Rows are only added: a trigger refuses the rest.

    `reserve` takes the price of a message from the balance when it is queued. `settle` says that it was sent, and moves
    nothing; `refund` gives the price back. Each reserved message gets one of the two, once.
    """

    class Kind(models.TextChoices):
        TOP_UP = "top_up", "Topped up"
        RESERVE = "reserve", "Reserved for a message"
        SETTLE = "settle", "Message sent"
        REFUND = "refund", "Given back"
        ADJUST = "adjust", "Adjusted by the operator"

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(CreditAccount, on_delete=models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    balance_after = models.DecimalField(max_digits=14, decimal_places=4)
    message_id = models.UUIDField(null=True)
    # The form or the caller that asked: submitted twice, it still moves credits once.
    request_id = models.UUIDField(null=True)
    note = models.CharField(max_length=200, blank=True)
    actor_label = models.CharField("who", max_length=200, blank=True)
    at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        verbose_name_plural = "credit entries"
        indexes = [models.Index(fields=["account", "-id"], name="credits_newest_first")]
        constraints = [
            models.UniqueConstraint(
                fields=["message_id"], condition=models.Q(kind="reserve"), name="credits_reserved_once"
            ),
            models.UniqueConstraint(
                fields=["message_id"], condition=models.Q(kind__in=["settle", "refund"]), name="credits_closed_once"
            ),
            models.UniqueConstraint(fields=["account", "request_id"], name="credits_once_per_request"),
            models.CheckConstraint(condition=models.Q(balance_after__gte=0), name="credits_entry_never_below_zero"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["top_up", "refund"], amount__gt=0)
                | models.Q(kind="reserve", amount__lt=0)
                | models.Q(kind="settle", amount=0)
                | (models.Q(kind="adjust") & ~models.Q(amount=0)),
                name="credits_amount_fits_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["reserve", "settle", "refund"], message_id__isnull=False)
                | models.Q(kind__in=["top_up", "adjust"], message_id=None),
                name="credits_message_where_one_is_meant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.amount}"


class PlatformDestination(models.Model):
    """Who carries platform SMS to one part of the world, and what a message costs. Without a carrier it is not offered.

    The carrier is a connection of an organization of the operator's, or a webhook.
    """

    class Destination(models.TextChoices):
        DOMESTIC = "domestic", "Mainland China"
        INTERNATIONAL = "international", "Codes to the rest of the world"

    id = models.BigAutoField(primary_key=True)
    destination = models.CharField(max_length=16, choices=Destination, unique=True)
    carrier = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.PROTECT, related_name="carries", db_index=False
    )
    price = models.DecimalField(
        "credits a message", max_digits=10, decimal_places=4, null=True, help_text="Empty: the price of the settings."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(price=None) | models.Q(price__gte=0), name="platform_price_fits")
        ]

    def __str__(self) -> str:
        return self.get_destination_display()


class PlatformPolicy(models.Model):
    """What an organization set for its platform SMS; without a row the defaults hold."""

    id = models.BigAutoField(primary_key=True)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="+")
    signature = models.CharField(max_length=20, blank=True)
    warn_below = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(50))

    class Meta:
        verbose_name_plural = "platform policies"
        constraints = [models.CheckConstraint(condition=models.Q(warn_below__gte=0), name="platform_warning_fits")]

    def __str__(self) -> str:
        return f"Platform SMS of {self.organization}"
