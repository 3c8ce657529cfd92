"""The outbox and its history: messages, their events, idempotency keys, and the pulse of workers."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Reverse
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization
from integrations.platform_sms.models import PLATFORM_SENDER
from messaging.contacts.models import Contact
from messaging.templates.models import Template, TemplateVersion

from .holding import HELD_UNTIL
from .statuses import ARRIVED, Status

# What Twilio charges for once it has ended: a failed message never left it.
PRICED = sorted(ARRIVED | {Status.UNDELIVERED})


class Message(models.Model):
    """One text from or to one number. `phone` is the other person's number, `sender` the organization's side."""

    class Direction(models.TextChoices):
        OUTBOUND = "outbound", "Outbound"
        INBOUND = "inbound", "Inbound"

    class Purpose(models.TextChoices):
        TRANSACTIONAL = "transactional", "Transactional"
        MARKETING = "marketing", "Marketing"
        VERIFICATION = "verification", "Verification code"
        CONSENT = "consent", "Answer to STOP, START or HELP"

    class Lane(models.IntegerChoices):
        FAST = 0, "Transactional"
        BULK = 1, "Broadcast"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="messages", db_index=False)
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False)
    template_version = models.ForeignKey(
        TemplateVersion, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    template = models.ForeignKey(
        Template, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    # A message of a broadcast, and the row of its source: once, whatever happens to the feeder.
    broadcast = models.ForeignKey(
        "messaging.Broadcast", null=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    broadcast_row = models.PositiveIntegerField(null=True)
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.OUTBOUND)
    channel = models.CharField(max_length=12, default="sms")
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.TRANSACTIONAL)
    lane = models.SmallIntegerField(choices=Lane, default=Lane.FAST)
    route = models.CharField(max_length=16, default="twilio")
    phone = models.CharField(max_length=16)
    region = models.CharField("country", max_length=3, blank=True)
    # Where the recipient may be: names of IANA zones with blanks between. Empty: the organization's own zone counts.
    time_zones = models.CharField(max_length=200, blank=True, default="", db_default="")
    sender = models.CharField(max_length=34, blank=True)
    body = models.TextField(blank=True)
    # What really goes out, encrypted, where nobody may read it in `body`: see sealing.py.
    sealed_text = models.TextField(blank=True, default="", db_default="")
    encoding = models.CharField(max_length=6, blank=True)
    segments = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    provider_sid = models.CharField("SID", max_length=34, blank=True)
    error_code = models.IntegerField(null=True)
    error_reason = models.CharField(max_length=40, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=5, null=True)
    price_unit = models.CharField(max_length=7, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    source = models.CharField(max_length=16, default="page")
    created_by_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)
    # The claim: who holds the row while it is `sending`. A late outcome under a lost token changes nothing.
    claim_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    unknown_since = models.DateTimeField(null=True)
    probes = models.PositiveSmallIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    needs_person = models.BooleanField(default=False)
    # When the text was removed: because it had served its time, or because the person was erased.
    redacted_at = models.DateTimeField(null=True)

    # The event it was stored with, where this object was stored just now.
    first_event: "MessageEvent | None" = None

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="message_status_known"),
            models.CheckConstraint(
                condition=models.Q(direction="inbound") | ~models.Q(status="received"),
                name="message_only_inbound_received",
            ),
            models.CheckConstraint(
                condition=models.Q(claim_token=None) | models.Q(status__in=["sending", "unknown"]),
                name="message_claim_only_in_flight",
            ),
            models.UniqueConstraint(
                fields=["provider_sid"], condition=~models.Q(provider_sid=""), name="message_sid_once"
            ),
            models.UniqueConstraint(
                fields=["broadcast", "broadcast_row"],
                condition=models.Q(broadcast__isnull=False),
                name="message_once_per_broadcast_row",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "sender", "lane", "due_at", "id"],
                condition=models.Q(status="queued"),
                name="message_outbox_lanes",
            ),
            # On a carrier organizations take turns: their messages are found apart.
            models.Index(
                fields=["connection", "lane", "organization", "due_at", "id"],
                condition=models.Q(status="queued", route="platform"),
                name="message_outbox_tenants",
            ),
            models.Index(fields=["due_at"], condition=models.Q(status="scheduled"), name="message_scheduled"),
            models.Index(fields=["lease_until"], condition=models.Q(status="sending"), name="message_leases"),
            models.Index(
                fields=["next_check_at"],
                condition=models.Q(status__in=["unknown", "accepted", "sent"]),
                name="message_to_check",
            ),
            models.Index(
                fields=["connection", "handed_over_at"],
                condition=models.Q(price=None, status__in=PRICED) & ~models.Q(provider_sid=""),
                name="message_without_price",
            ),
            models.Index(
                fields=["broadcast", "status", "due_at"],
                condition=models.Q(broadcast__isnull=False),
                name="message_of_broadcast",
            ),
            models.Index(
                fields=["finished_at", "organization", "error_code"],
                condition=models.Q(status__in=["failed", "undelivered"]),
                name="message_failures",
            ),
            models.Index(fields=["organization"], condition=models.Q(needs_person=True), name="message_needs_person"),
            models.Index(fields=["valid_until"], condition=~models.Q(sealed_text=""), name="message_sealed"),
            models.Index(fields=["organization", "-id"], name="message_log"),
            models.Index(
                fields=["organization", "-id"], condition=models.Q(direction="inbound"), name="message_log_inbound"
            ),
            models.Index(fields=["organization", "status", "-id"], name="message_log_by_status"),
            models.Index(fields=["organization", "phone", "-id"], name="message_log_by_phone"),
            models.Index(
                "organization", OpClass(Reverse("phone"), name="text_pattern_ops"), name="message_log_by_last_digits"
            ),
            # Most messages of an API have neither contact nor template: they are spared both.
            models.Index(
                fields=["organization", "template", "-id"],
                condition=models.Q(template__isnull=False),
                name="message_log_with_template",
            ),
            models.Index(fields=["contact"], condition=models.Q(contact__isnull=False), name="message_of_contact"),
            # Whose platform SMS a number was sent: what its STOP reaches.
            models.Index(fields=["phone"], condition=models.Q(route="platform"), name="message_platform_by_phone"),
            models.Index(fields=["organization", "created_at", "status"], name="message_log_by_day"),
            models.Index(
                fields=["organization", "finished_at"],
                condition=models.Q(redacted_at=None, finished_at__isnull=False),
                name="message_with_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} message, {mask_phone(self.phone)}"

    @property
    def is_held(self) -> bool:
        """Whether it waits until its broadcast goes on."""
        return self.due_at >= HELD_UNTIL

    @property
    def no_text(self) -> str:
        """What stands in the place of a text that is not there."""
        return "(the text was removed)" if self.redacted_at else "(no text)"

    @property
    def is_platform(self) -> bool:
        """Whether the operator's account carries it: nothing of that may be shown."""
        return self.route == "platform"

    @property
    def through(self) -> str:
        """What it went through, for people: the name of the organization's own connection, or platform SMS."""
        if self.is_platform:
            return PLATFORM_SENDER
        return self.connection.name if self.connection else ""

    @property
    def shown_sid(self) -> str:
        """The SID at Twilio, where the account is the organization's own."""
        return "" if self.is_platform else self.provider_sid

    @property
    def is_inbound(self) -> bool:
        return self.direction == self.Direction.INBOUND


class MessageEvent(models.Model):
    """A step in the life of a message. Rows are only added."""

    class Source(models.TextChoices):
        INTAKE = "intake", "Heliograph"
        ENGINE = "engine", "Sending engine"
        CALLBACK = "callback", "Twilio's callback"
        POLL = "poll", "Twilio, asked by us"
        MEMBER = "member", "A member"
        API = "api", "API"

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="events")
    status = models.CharField(max_length=12, choices=Status)
    source = models.CharField(max_length=12, choices=Source)
    error_code = models.IntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status} at {self.at:%H:%M:%S}"


class IdempotencyKey(models.Model):
    """A promise to a caller of the API: the same key with the same body is the same message, for 24 hours."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="+")
    # What a request made that was not for one message: ids and counts, nothing of people.
    result = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="idempotency_key_once_per_organization")
        ]

    def __str__(self) -> str:
        return f"idempotency key of {self.created_at:%Y-%m-%d %H:%M}"


class WorkerPulse(models.Model):
    """The last sign of life of a worker process."""

    name = models.CharField(max_length=120, primary_key=True)
    host = models.CharField(max_length=120)
    pid = models.IntegerField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
