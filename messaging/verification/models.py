"""Attempts to prove a number, the codes that were sent for them, and the channels that a Verify Service refuses."""

from django.db import models
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.connections.models import Connection
from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization
from messaging.sending.models import Message


class Verification(models.Model):
    """One attempt of somebody to prove that a number is theirs. Every change of state goes through `life.py`.

    Several may run for one number at a time. With Twilio Verify those of one Verify Service share Twilio's
    verification, hence `provider_sid`, the code and its limits; each is approved by itself.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for the code"
        APPROVED = "approved", "Approved"
        EXPIRED = "expired", "Expired"
        CANCELED = "canceled", "Canceled"
        MAX_ATTEMPTS = "max_attempts", "Too many wrong codes"
        FAILED = "failed", "Failed"

    class Backend(models.TextChoices):
        VERIFY = "verify", "Twilio Verify"
        OWN = "own", "Code of our own"

    class Route(models.TextChoices):
        TWILIO = "twilio", "Twilio"
        PLATFORM = "platform", "Platform SMS"

    class Channel(models.TextChoices):
        SMS = "sms", "SMS"
        CALL = "call", "Call"
        WHATSAPP = "whatsapp", "WhatsApp"
        EMAIL = "email", "E-mail"

    class AskerKind(models.TextChoices):
        API = "api", "API"
        FORM = "form", "Public form"
        PORTAL = "portal", "Portal"
        MEMBER = "member", "Member"
        AUTOMATION = "automation", "Automation"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="verifications", db_index=False
    )
    phone = models.CharField(max_length=16)
    region = models.CharField("country", max_length=3, blank=True)
    # An address instead of a number: only by Twilio Verify, and it proves nothing but the address.
    email = models.EmailField("e-mail", blank=True, default="", db_default="")
    asker_kind = models.CharField("asked by", max_length=12, choices=AskerKind)
    asker_id = models.UUIDField(null=True)
    backend = models.CharField(max_length=8, choices=Backend)
    route = models.CharField(max_length=8, choices=Route)
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.PROTECT, related_name="verifications", db_index=False
    )
    # The Verify Service it was begun at; the connection may name another one meanwhile.
    service_sid = models.CharField("Verify Service SID", max_length=34, blank=True)
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.SMS)
    locale = models.CharField(max_length=12, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    provider_sid = models.CharField("SID", max_length=34, blank=True)
    # A keyed hash of our own code; empty with Twilio Verify, which knows its code alone.
    code_hash = models.CharField(max_length=64, blank=True)
    sends = models.PositiveSmallIntegerField("codes sent", default=0)
    checks = models.PositiveSmallIntegerField("codes tried", default=0)
    error_code = models.IntegerField(null=True)
    error_reason = models.CharField(max_length=40, blank=True)
    network = models.CharField(max_length=60, blank=True)
    # While one check is on its way to Twilio no other one begins.
    checking_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    resend_after = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    # When it was known that none of the codes sent so far arrived; another code, or an approval, empties it again.
    undelivered_at = models.DateTimeField(null=True)
    # When the carrier, or Twilio, said whether the code that was sent last arrived, be it yes or no.
    reported_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="approved", approved_at__isnull=False)
                | ~models.Q(status="approved") & models.Q(approved_at=None),
                name="verification_approved_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", ended_at=None)
                | ~models.Q(status="pending") & models.Q(ended_at__isnull=False),
                name="verification_ended_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="verification_newest_first"),
            models.Index(fields=["organization", "phone", "-id"], name="verification_by_phone"),
            models.Index(fields=["organization", "created_at"], name="verification_by_day"),
            models.Index(fields=["expires_at"], condition=models.Q(status="pending"), name="verification_pending"),
            models.Index(fields=["provider_sid"], condition=~models.Q(provider_sid=""), name="verification_by_sid"),
            models.Index(fields=["created_at"], condition=models.Q(reported_at=None), name="verification_unreported"),
        ]

    def __str__(self) -> str:
        return f"verification of {mask_phone(self.phone) if self.phone else 'an e-mail address'}"

    @property
    def state(self) -> str:
        """The status as it is at this moment: what was not approved in time has ended, swept up or not."""
        if self.status != self.Status.PENDING or self.expires_at > database_now():
            return str(self.status)
        return str(self.Status.FAILED if self.undelivered_at else self.Status.EXPIRED)

    @property
    def is_pending(self) -> bool:
        return self.state == self.Status.PENDING


class VerificationSend(models.Model):
    """One code that was asked for, and what came of it. `message` is the SMS with a code of our own."""

    class Outcome(models.TextChoices):
        SENDING = "sending", "Being handed over"
        SENT = "sent", "Handed over"
        UNKNOWN = "unknown", "Outcome unknown"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Did not arrive"

    id = models.BigAutoField(primary_key=True)
    verification = models.ForeignKey(Verification, on_delete=models.CASCADE, related_name="attempts")
    channel = models.CharField(max_length=8, choices=Verification.Channel)
    message = models.OneToOneField(Message, null=True, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.SENDING)
    error_code = models.IntegerField(null=True)
    error_reason = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"code by {self.get_channel_display()}"


class ClosedChannel(models.Model):
    """A channel that a Verify Service does not send by, as Twilio said: offered again when a member says so."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="closed_channels")
    service_sid = models.CharField("Verify Service SID", max_length=34)
    channel = models.CharField(max_length=8, choices=Verification.Channel)
    error_code = models.IntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "service_sid", "channel"], name="closedchannel_once")
        ]

    def __str__(self) -> str:
        return f"no codes by {self.get_channel_display()}"
