"""Conversations with those who write to an organization, and the replies it keeps ready."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Member, Organization
from messaging.contacts.models import Contact


class Conversation(models.Model):
    """What is being talked about with one number. Its texts are the message log's; here is what a person must do.

    `phone` is the writer as in the log: a number, a short code or a name. `sender` is the number of ours that was
    written to last, from which a reply goes out. Only who writes to us, or is written to from the inbox, has one:
    a broadcast to a million people opens none.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="conversations", db_index=False
    )
    channel = models.CharField(max_length=12, default="sms")
    phone = models.CharField(max_length=16)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="conversations")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    sender = models.CharField("number of ours", max_length=34, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    unread = models.PositiveIntegerField(default=0)
    is_unread = models.GeneratedField(
        expression=models.ExpressionWrapper(models.Q(unread__gt=0), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    assignee = models.ForeignKey(Member, null=True, on_delete=models.SET_NULL, related_name="conversations")
    last_text = models.CharField(max_length=200, blank=True)
    last_is_inbound = models.BooleanField(default=True)
    last_at = models.DateTimeField(default=timezone.now)
    last_inbound_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    # How much came within the minute that began then; what is too much is said in `floods.py`.
    minute_began_at = models.DateTimeField(null=True)
    minute_count = models.PositiveIntegerField(default=0)
    flooded_at = models.DateTimeField(null=True)
    muted_at = models.DateTimeField(null=True)
    auto_replied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "channel", "phone"], name="conversation_once_per_writer"),
            models.CheckConstraint(condition=models.Q(state__in=["open", "closed"]), name="conversation_state_known"),
        ]
        indexes = [
            models.Index(fields=["organization", "state", "-is_unread", "-last_at", "-id"], name="conversation_list"),
            models.Index(
                fields=["organization", "assignee", "state", "-is_unread", "-last_at", "-id"],
                name="conversation_list_of_member",
            ),
            models.Index(
                fields=["organization", "-flooded_at"],
                condition=models.Q(flooded_at__isnull=False),
                name="conversation_flooded",
            ),
        ]

    def __str__(self) -> str:
        return f"Conversation with {mask_phone(self.phone)}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_muted(self) -> bool:
        return self.muted_at is not None

    @property
    def can_be_answered(self) -> bool:
        """Tell whether a text can be sent back: short codes and names write, too, but take none."""
        return self.phone.startswith("+")


class CannedReply(models.Model):
    """A reply kept ready, with the variables of a template."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="canned_replies")
    name = models.CharField(max_length=60)
    body = models.TextField(max_length=1600)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "canned replies"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="canned_reply_name_once_per_organization")
        ]

    def __str__(self) -> str:
        return self.name


class InboxPolicy(models.Model):
    """What an organization answers by itself outside its office hours.

    `hours` are rows of [weekday, from, until] in the organization's time zone, Monday being 0 and times HH:MM; a day
    without a row is closed. `holidays` are dates, written as ISO does, on which nobody is there.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="inbox_policy")
    is_on = models.BooleanField("answers outside office hours", default=False)
    text = models.TextField(max_length=1600, blank=True)
    hours = models.JSONField(default=list, blank=True)
    holidays = models.JSONField(default=list, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "inbox policies"

    def __str__(self) -> str:
        return "Office hours"


class KeywordRule(models.Model):
    """What happens when a text says certain words: an answer, a tag, an opt-out. The first rule that fits decides."""

    class Match(models.TextChoices):
        EXACT = "exact", "The whole text is"
        STARTS = "starts", "The text starts with"
        CONTAINS = "contains", "The text contains"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="keyword_rules")
    name = models.CharField(max_length=60)
    match = models.CharField(max_length=8, choices=Match, default=Match.EXACT)
    words = models.JSONField(default=list)
    reply = models.TextField(max_length=1600, blank=True)
    tag = models.CharField(max_length=60, blank=True)
    opts_out = models.BooleanField("opts out", default=False)
    pause_minutes = models.PositiveIntegerField("minutes between two answers to one number", default=60)
    is_on = models.BooleanField("in force", default=True)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opts_out=False) | models.Q(reply=""), name="keyword_rule_no_answer_to_opt_out"
            )
        ]

    def __str__(self) -> str:
        return self.name


class RuleAnswer(models.Model):
    """When a rule answered a number last: the guard against loops and floods."""

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(KeywordRule, on_delete=models.CASCADE, related_name="answers", db_index=False)
    phone = models.CharField(max_length=16)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "phone"], name="rule_answer_once_per_number")]

    def __str__(self) -> str:
        return f"{self.rule} answered {mask_phone(self.phone)}"
