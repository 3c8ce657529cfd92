"""Opt-outs, and what people agreed to: rows that stay, because an organization must be able to show them."""

import uuid

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization, as_uuid


class OptOut(models.Model):
    """One opt-out of one number, from its start to its end; the row stays as history."""

    class Scope(models.TextChoices):
        ORGANIZATION = "organization", "Everything the organization sends"
        SENDER = "sender", "One sender or Messaging Service"

    class Source(models.TextChoices):
        KEYWORD = "keyword", "Keyword in a reply"
        TWILIO = "twilio", "Twilio refused the number"
        STAFF = "staff", "A member"
        API = "api", "API"
        IMPORT = "import", "An import"
        LINK = "link", "Unsubscribe link"
        PORTAL = "portal", "Preferences in the portal"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="opt_outs")
    phone = models.CharField(max_length=16)
    channel = models.CharField(max_length=12, default="sms")
    scope = models.CharField(max_length=16, choices=Scope, default=Scope.ORGANIZATION)
    sender = models.CharField(
        max_length=34, blank=True, help_text="With the narrow scope: the number or Messaging Service it covers."
    )
    source = models.CharField(max_length=12, choices=Source)
    keyword = models.CharField(max_length=40, blank=True)
    twilio_scope = models.CharField(
        "scope at Twilio", max_length=34, blank=True, help_text="The sender or Messaging Service that Twilio blocks."
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=12, choices=Source, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "phone", "channel", "scope", "sender"],
                condition=models.Q(ended_at=None),
                name="opt_out_once_while_it_lasts",
            ),
            models.CheckConstraint(
                condition=models.Q(scope="organization", sender="") | (models.Q(scope="sender") & ~models.Q(sender="")),
                name="opt_out_sender_with_narrow_scope_only",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-started_at"], name="opt_out_newest_first")]

    def __str__(self) -> str:
        return f"Opt-out of {mask_phone(self.phone)}"

    @property
    def is_active(self) -> bool:
        return self.ended_at is None

    @property
    def locked_because(self) -> str:
        """Why no member can end it, in a sentence; "" where one can, because a member made it."""
        if self.source in {self.Source.STAFF, self.Source.IMPORT}:
            return ""
        if self.source == self.Source.API:
            return "Recorded through the API: the system that recorded it can end it, or the person texts START."
        if self.source == self.Source.LINK:
            return "Only the person can undo this: by the link in your message, or by texting START to your number."
        if self.source == self.Source.PORTAL:
            return "Only the person can undo this: in your portal, under Messages, or by texting START to your number."
        return "Only the person can undo this, by texting START to your number. No member can do it for them."


class ConsentPurpose(models.TextChoices):
    """What somebody may agree to be written to about; the words of a message's purpose."""

    MARKETING = "marketing", "Marketing"
    TRANSACTIONAL = "transactional", "Transactional messages"
    VERIFICATION = "verification", "Verification codes"


class ConsentRecord(models.Model):
    """One thing a person agreed to or took back, with its proof. Rows are only ever added: a trigger refuses the rest.

    It hangs on the number, as opt-outs do, and outlives the contact, whose id of that time it keeps without a foreign
    key. Erasing a person replaces the number by a keyed hash, through `ledger.erase_phone` alone.
    """

    class Action(models.TextChoices):
        GRANTED = "granted", "Granted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        REQUESTED = "requested", "Asked to confirm"

    class Source(models.TextChoices):
        FORM = "form", "A form"
        IMPORT = "import", "An import"
        API = "api", "API"
        STAFF = "staff", "A member"
        KEYWORD = "keyword", "Keyword in a reply"
        LINK = "link", "Unsubscribe link"
        PORTAL = "portal", "Preferences in the portal"
        DOUBLE_OPT_IN = "double_opt_in", "Confirmed by SMS"
        TWILIO = "twilio", "Twilio refused the number"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="consent_records")
    phone = models.CharField(max_length=80, editable=False)
    contact_id = models.UUIDField(null=True, editable=False)
    channel = models.CharField(max_length=12, default="sms", editable=False)
    purpose = models.CharField(max_length=16, choices=ConsentPurpose, editable=False)
    action = models.CharField(max_length=12, choices=Action, editable=False)
    source = models.CharField(max_length=16, choices=Source, editable=False)
    reason = models.CharField(max_length=300, blank=True, editable=False)
    evidence = models.JSONField(default=dict, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    actor_label = models.CharField("who", max_length=200, blank=True, editable=False)
    at = models.DateTimeField("when", default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="consent_newest_first"),
            models.Index(fields=["organization", "phone", "-at"], name="consent_by_phone"),
            models.Index(fields=["organization", "at"], name="consent_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.get_action_display().lower()}, {masked_number(self.phone)}"

    @property
    def proof_messages(self) -> list[tuple[str, uuid.UUID]]:
        """The messages that prove it, in words and by their ids: what was asked, and what was answered."""
        named = (("The question", self.evidence.get("question")), ("The message", self.evidence.get("message")))
        return [(words, key) for words, raw in named if raw and (key := as_uuid(raw))]


class ConsentState(models.Model):
    """What a number agreed to as of now: derived from the records, in the transaction that adds one.

    It exists so that a claim of messages asks one small index; `ledger.rebuild_states` makes it anew from the records.
    """

    class State(models.TextChoices):
        GRANTED = "granted", "Agreed"
        WITHDRAWN = "withdrawn", "Withdrawn"
        PENDING = "pending", "Asked, not confirmed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="consent_states", db_index=False
    )
    phone = models.CharField(max_length=80)
    channel = models.CharField(max_length=12, default="sms")
    purpose = models.CharField(max_length=16, choices=ConsentPurpose)
    state = models.CharField(max_length=12, choices=State)
    record = models.ForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    pending_until = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "state of consent"
        verbose_name_plural = "states of consent"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "phone", "channel", "purpose"], name="consent_state_once_per_number"
            ),
            models.CheckConstraint(
                condition=models.Q(pending_until=None) | models.Q(state="pending"), name="consent_pending_until_only"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_state_display().lower()}, {masked_number(self.phone)}"


class ConsentPolicy(models.Model):
    """How an organization reads keywords, how far a STOP reaches, and what it answers; a row only once it was changed.

    Texts left empty are ours (`texts.py`). `sender_answers` says for single senders whether Twilio answers keywords
    itself: {"+4915112345678": "no"}; a sender that is not named follows the table in `answering.py`.
    """

    class Scope(models.TextChoices):
        ORGANIZATION = "organization", "Everything the organization sends on that channel"
        SENDER = "sender", "Only the sender or Messaging Service that was answered"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="consent_policy")
    scope = models.CharField("a STOP covers", max_length=16, choices=Scope, default=Scope.ORGANIZATION)
    languages = models.JSONField(default=list, blank=True)
    extra_stop_words = models.JSONField(default=list, blank=True)
    extra_start_words = models.JSONField(default=list, blank=True)
    extra_help_words = models.JSONField(default=list, blank=True)
    stop_text = models.CharField("answer to STOP", max_length=320, blank=True)
    start_text = models.CharField("answer to START", max_length=320, blank=True)
    help_text = models.CharField("answer to HELP", max_length=320, blank=True)
    sender_answers = models.JSONField(default=dict, blank=True)
    double_opt_in = models.BooleanField("ask to confirm marketing consent by SMS", default=False)
    double_opt_in_text = models.CharField("question", max_length=320, blank=True)
    confirm_words = models.JSONField(default=list, blank=True)
    confirm_within_hours = models.PositiveSmallIntegerField("hours to confirm", default=72)
    append_link = models.BooleanField("add an unsubscribe link where nobody can reply", default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "consent policies"

    def __str__(self) -> str:
        return "Consent policy"


class UnsubscribeLink(models.Model):
    """The way out for somebody who cannot reply: `/u/{token}`. The token is a keyed hash of what the row says.

    So the same person has the same link in every message, and a text can be shown before anything is stored.
    """

    token = models.CharField(max_length=16, primary_key=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="unsubscribe_links", editable=False
    )
    phone = models.CharField(max_length=16, editable=False)
    channel = models.CharField(max_length=12, default="sms", editable=False)
    sender = models.CharField(max_length=34, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["organization", "phone"], name="unsubscribe_link_by_phone")]

    def __str__(self) -> str:
        return f"Unsubscribe link of {mask_phone(self.phone)}"


def masked_number(phone: str) -> str:
    """Return a masked number; of an erased person there is none."""
    return mask_phone(phone) if phone.startswith("+") else "an erased person"
