"""An organization's Twilio credentials, and the webhooks refused in their name."""

import secrets

from django.db import models
from django.utils import timezone

from integrations.encryption import SecretField
from integrations.identifiers import new_id
from integrations.organizations.models import Organization


def new_hook_key() -> str:
    """Return an opaque name for the connection in webhook addresses (not a secret: signatures protect them)."""
    return secrets.token_urlsafe(18)


class Connection(models.Model):
    """Credentials of one Twilio account (or of the sandbox), with the senders to use.

    Rows are never deleted: a disconnected one loses its secrets and keeps the history readable.
    """

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        SANDBOX = "sandbox", "Sandbox"
        TEST = "test", "Test credentials"
        WEBHOOK = "webhook", "Webhook of the operator"  # carries platform SMS, and nothing else

    class Auth(models.TextChoices):
        API_KEY = "api_key", "API Key"
        AUTH_TOKEN = "auth_token", "Account SID and Auth Token"

    class Status(models.TextChoices):
        ACTIVE = "active", "Connected"
        BROKEN = "broken", "Broken"
        DISCONNECTED = "disconnected", "Disconnected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="connections")
    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LIVE, editable=False)
    auth = models.CharField(max_length=12, choices=Auth, default=Auth.API_KEY, editable=False)
    account_sid = models.CharField("Account SID", max_length=34, blank=True)
    api_key_sid = models.CharField("API Key SID", max_length=34, blank=True)
    api_key_secret = SecretField("API Key Secret")
    auth_token = SecretField("Auth Token")
    signing_token = SecretField("Auth Token for webhooks")
    signing_token_secondary = SecretField("secondary Auth Token for webhooks")
    messaging_service_sid = models.CharField("Messaging Service SID", max_length=34, blank=True)
    verify_service_sid = models.CharField("Verify Service SID", max_length=34, blank=True)
    sender = models.CharField("From", max_length=20, blank=True)
    # Of mode webhook only: where messages are posted. The key that signs them is the Auth Token's column.
    webhook_url = models.CharField("webhook", max_length=500, blank=True, default="", db_default="", editable=False)
    is_default = models.BooleanField("default", default=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE, editable=False)
    broken_code = models.IntegerField(null=True, blank=True, editable=False)
    broken_at = models.DateTimeField(null=True, blank=True, editable=False)
    mps = models.DecimalField(
        "messages per second",
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Empty: no limit of ours.",
    )
    hook_key = models.CharField(max_length=40, unique=True, default=new_hook_key, editable=False)
    hook_secret = SecretField("key of our own webhook signatures")
    # Counts changes of the secrets: who failed with older ones says nothing about the present ones.
    credentials_version = models.PositiveIntegerField(default=1, editable=False)
    # The form that made the connection: submitted twice, it still makes one.
    request_id = models.UUIDField(null=True, editable=False)
    account_name = models.CharField(max_length=120, blank=True, editable=False)
    account_type = models.CharField(max_length=20, blank=True, editable=False)
    # What the Messaging Service is called at Twilio, as the last check found it.
    messaging_service_name = models.CharField(max_length=120, blank=True, default="", db_default="", editable=False)
    check_report = models.JSONField(default=list, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    disconnected_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(is_default=True),
                name="connection_one_default",
            ),
            models.UniqueConstraint(fields=["organization", "request_id"], name="connection_once_per_request"),
            models.CheckConstraint(
                condition=~models.Q(is_default=True, status="disconnected"), name="connection_default_is_connected"
            ),
            models.CheckConstraint(
                condition=~models.Q(is_default=True, mode="webhook"), name="connection_default_is_no_webhook"
            ),
        ]
        ordering = ["-is_default", "created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_sandbox(self) -> bool:
        return self.mode == self.Mode.SANDBOX

    @property
    def is_webhook(self) -> bool:
        return self.mode == self.Mode.WEBHOOK

    @property
    def is_usable(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def sends_as(self) -> str:
        """The sender that goes with each message: a Messaging Service SID, a number or a sender ID."""
        return self.messaging_service_sid or self.sender


class RefusedWebhook(models.Model):
    """A webhook that was refused, and why: what an admin reads when callbacks stay away. Only the newest are kept."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="refused_webhooks")
    path = models.CharField(max_length=200)
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=400)
    ip = models.CharField("network", max_length=60, blank=True)
    at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["connection", "-id"], name="refused_newest_first")]

    def __str__(self) -> str:
        return f"{self.reason} at {self.at:%Y-%m-%d %H:%M}"


class ReplyAddress(models.Model):
    """A place at Twilio whose address for incoming messages we set, and what stood there before.

    `sid` is a Messaging Service's or a number's, `label` its name or the number. A row that was put back stays as
    history; there is one at most for each place that was not.
    """

    class Kind(models.TextChoices):
        SERVICE = "service", "Messaging Service"
        NUMBER = "number", "Number"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reply_addresses")
    kind = models.CharField(max_length=8, choices=Kind)
    sid = models.CharField("SID", max_length=34)
    label = models.CharField(max_length=120, blank=True)
    former_url = models.CharField(max_length=2000, blank=True)
    former_method = models.CharField(max_length=6, blank=True)
    former_application = models.CharField("former TwiML App", max_length=34, blank=True)
    set_at = models.DateTimeField(default=timezone.now)
    put_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "reply addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "sid"], condition=models.Q(put_back_at=None), name="reply_address_once_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"replies of {self.label or self.sid}"
