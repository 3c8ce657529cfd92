"""What admins must hear of: alerts, the letters that tell of them, and how many failures a minute each cause had."""

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Member, Organization, User


class Alert(models.Model):
    """Something that holds sending up, from when it was noticed until its cause was gone.

    At most one is open for each organization, kind and key. `link` is an address inside the organization.
    """

    class Kind(models.TextChoices):
        CONNECTION_BROKEN = "connection_broken", "Connection broken"
        CODES_REFUSED = "codes_refused", "Codes do not leave"
        CAP_REACHED = "cap_reached", "Daily cap reached"
        QUEUE_OLD = "queue_old", "Queue stands still"
        FAILURES_RISING = "failures_rising", "Failures rising"
        CAP_NEAR = "cap_near", "Daily cap near"
        NEEDS_PERSON = "needs_person", "Messages need a person"
        INBOX_FLOODED = "inbox_flooded", "Inbox flooded"
        CREDITS_LOW = "credits_low", "Credits low"
        PREFIX_PAUSED = "prefix_paused", "Prefix paused"
        CODES_HELD = "codes_held", "Codes held back"
        RUNS_LATE = "runs_late", "Automations stand still"
        AUTOMATION_FAILING = "automation_failing", "Automation fails"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="alerts", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=600)
    link = models.CharField(max_length=200, blank=True)
    raised_at = models.DateTimeField(default=timezone.now)
    cleared_at = models.DateTimeField(null=True)
    # Set when its letters were written, in the same transaction.
    emailed_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "key"], condition=models.Q(cleared_at=None), name="alert_open_once"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-raised_at"], name="alert_newest_first"),
            models.Index(
                fields=["raised_at"], condition=models.Q(cleared_at=None, emailed_at=None), name="alert_to_be_mailed"
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_open(self) -> bool:
        return self.cleared_at is None

    @property
    def is_grave(self) -> bool:
        """Tell whether messages stand still or visitors are turned away because of it."""
        kinds = self.Kind
        return self.kind in {
            kinds.CONNECTION_BROKEN,
            kinds.CODES_REFUSED,
            kinds.CAP_REACHED,
            kinds.QUEUE_OLD,
            kinds.RUNS_LATE,
        }


class AlertMail(models.Model):
    """One letter to one person about one or more alerts. The attempt is recorded before anything is sent."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        UNKNOWN = "unknown", "Perhaps sent"
        GIVEN_UP = "given_up", "Given up"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    alerts = models.ManyToManyField(Alert, related_name="mails")
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(outcome__in=["waiting", "sending"]), name="alertmail_to_be_sent"
            ),
            models.Index(fields=["organization", "-id"], name="alertmail_newest_first"),
        ]

    def __str__(self) -> str:
        return f"letter about alerts: {self.get_outcome_display()}"


class MailRefusal(models.Model):
    """A member who wants no letters about alerts of this organization."""

    id = models.BigAutoField(primary_key=True)
    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return "no letters about alerts"


class FailureCount(models.Model):
    """How many messages failed for one cause, Twilio's code or our own word, in one minute. Kept for some hours."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    cause = models.CharField(max_length=40)
    minute = models.DateTimeField()
    failed = models.PositiveIntegerField()
    undelivered = models.PositiveIntegerField("of them undelivered", default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["minute", "organization", "cause"], name="failurecount_once_a_minute")
        ]

    def __str__(self) -> str:
        return f"{self.failed} at {self.minute:%H:%M}"
