"""Automations, their versions, and the runs that carry them out."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.sending.models import Message


class Automation(models.Model):
    """Something that happens, and what is done then. `draft` is being built; what runs is the live version.

    Both are a Flow as JSON: see flow.py.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        PAUSED = "paused", "Paused"
        ARCHIVED = "archived", "Archived"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="automations", db_index=False)
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    draft = models.JSONField(default=dict)
    # Counts the changes of the draft: a page that shows an older one must not overwrite a newer.
    draft_number = models.PositiveIntegerField(default=0)
    live = models.ForeignKey("AutomationVersion", null=True, on_delete=models.PROTECT, related_name="+")
    # How often one number may set it off, and how many runs begin in a minute; None: as often as it happens.
    cap_count = models.PositiveIntegerField(null=True, default=10)
    cap_hours = models.PositiveIntegerField(default=24)
    per_minute = models.PositiveIntegerField(null=True)
    # When the next run may begin, where `per_minute` spaces them.
    next_start_at = models.DateTimeField(null=True)
    # When the trigger wants to look for itself, as schedules and dates do.
    next_look_at = models.DateTimeField(null=True)
    looked_until = models.DateTimeField(null=True)
    created_by_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="automation_newest_first"),
            models.Index(
                fields=["next_look_at"],
                condition=models.Q(status="live", next_look_at__isnull=False),
                name="automation_to_look",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "live", "paused", "archived"]), name="automation_status_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["live", "paused"]) | models.Q(live__isnull=False),
                name="automation_live_has_version",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AutomationVersion(models.Model):
    """What was published: runs finish on the version they began with. Number 0 is a draft that was only tried."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    flow = models.JSONField()
    published_by_id = models.UUIDField(null=True)
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["automation", "number"], condition=models.Q(number__gt=0), name="automation_version_once"
            )
        ]
        indexes = [models.Index(fields=["automation", "-number"], name="automation_version_newest")]

    def __str__(self) -> str:
        return f"Version {self.number}" if self.number else "A draft that was tried"


class AutomationDraft(models.Model):
    """A state of the draft, kept for undo; the oldest are forgotten. What was undone waits to be done again.

    The newest row that is not undone is the draft as it is, where there are rows at all.
    """

    id = models.BigAutoField(primary_key=True)
    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="drafts", db_index=False)
    flow = models.JSONField()
    what = models.CharField(max_length=120, blank=True)
    is_undone = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "step of building an automation"
        verbose_name_plural = "steps of building automations"
        indexes = [models.Index(fields=["automation", "-id"], name="automation_draft_newest")]

    def __str__(self) -> str:
        return self.what or "The beginning"


class Run(models.Model):
    """One time that an automation was set off. `position` is the node to do next, "" at the end.

    `data` is {"trigger": fields, "nodes": {node id: its output}}; what the contact's row says is read when needed.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"
        SKIPPED = "skipped", "Not begun"

    class Lane(models.IntegerChoices):
        QUICK = 0, "In the database"
        OUTSIDE = 1, "With somebody outside"
        HELD_QUICK = 10, "Aside while the automation is paused"
        HELD_OUTSIDE = 11, "Aside, and then with somebody outside"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(AutomationVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    # What set it off, once per automation: however often it is told.
    key = models.CharField(max_length=120)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    phone = models.CharField(max_length=16, blank=True, default="")
    data = models.JSONField(default=dict)
    is_test = models.BooleanField(default=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    lane = models.SmallIntegerField(choices=Lane, default=Lane.QUICK)
    position = models.CharField(max_length=12, blank=True)
    steps_done = models.PositiveIntegerField(default=0)
    # What else may wake it before it is due, like the end of a verification.
    wake_key = models.CharField(max_length=80, blank=True, default="")
    due_at = models.DateTimeField()
    claim_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    # The automations whose doing this run is, the eldest first: none of them may stand here twice.
    ancestry = ArrayField(models.UUIDField(), default=list)
    # The run whose doing it is, where that one is known; it may be gone by now.
    cause = models.UUIDField(null=True)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["automation", "key"], name="run_once_per_key"),
            models.CheckConstraint(
                condition=models.Q(status__in=["waiting", "running", "done", "failed", "stopped", "skipped"]),
                name="run_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(claim_token=None) | models.Q(status="running"), name="run_claim_only_while_running"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lane", "organization", "due_at", "id"],
                condition=models.Q(status="waiting"),
                name="run_to_carry_on",
            ),
            models.Index(fields=["lease_until"], condition=models.Q(status="running"), name="run_leases"),
            models.Index(fields=["wake_key"], condition=~models.Q(wake_key=""), name="run_to_wake"),
            models.Index(fields=["organization", "-id"], name="run_newest_first"),
            models.Index(fields=["automation", "-id"], name="run_of_automation"),
            # With what counts of a status leave out, so that they are read from the index alone.
            models.Index(fields=["automation", "status", "-id"], include=["is_test"], name="run_by_status"),
            models.Index(
                fields=["organization", "status", "-id"], condition=~models.Q(status="done"), name="run_not_done"
            ),
            models.Index(fields=["ended_at"], condition=models.Q(status="failed"), name="run_failed_lately"),
            models.Index(fields=["cause"], condition=models.Q(cause__isnull=False), name="run_of_cause"),
            models.Index(fields=["organization", "phone", "-id"], name="run_by_phone"),
            models.Index(
                fields=["automation", "phone", "-created_at"], condition=~models.Q(phone=""), name="run_of_phone"
            ),
            models.Index(fields=["contact"], condition=models.Q(contact__isnull=False), name="run_of_contact"),
            models.Index(fields=["version"], name="run_of_version"),
        ]

    def __str__(self) -> str:
        return f"Run for {mask_phone(self.phone)}" if self.phone else f"Run of {self.created_at:%Y-%m-%d %H:%M}"


class RunStep(models.Model):
    """One node that a run came to; its id is the key under which its effects are made once.

    `input` and `output` are for people to read, `memory` is the node's own between two visits.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ACTING = "acting", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps", db_index=False)
    ordinal = models.PositiveIntegerField()
    node = models.CharField(max_length=12)
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    input = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    memory = models.JSONField(default=dict)
    branch = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["run", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["run", "ordinal"], name="run_step_once")]

    def __str__(self) -> str:
        return f"Step {self.ordinal}"


class RunMessage(models.Model):
    """What a step sent to whom, once: also what was not sent, and why."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="messages", db_index=False)
    step = models.ForeignKey(RunStep, on_delete=models.CASCADE, related_name="messages", db_index=False)
    key = models.CharField(max_length=80)
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "key"], name="run_message_once")]
        indexes = [
            models.Index(fields=["run", "id"], name="run_message_of_run"),
            models.Index(fields=["message"], condition=models.Q(message__isnull=False), name="run_message_of_message"),
            models.Index(fields=["key"], condition=models.Q(message=None), name="run_message_not_sent"),
        ]

    def __str__(self) -> str:
        return self.reason or "sent"
