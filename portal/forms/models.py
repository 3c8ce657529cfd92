"""Public forms, their versions and pictures; what visitors have begun, and what they sent."""

import secrets

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization, User
from messaging.contacts.models import Contact
from messaging.jobs.models import Job
from messaging.sending.models import Message
from messaging.templates.models import Template

DEFAULT_COLOR = "#1f66b5"


def new_token() -> str:
    """Return the part of a form's address that nobody guesses: 96 bits, in 16 signs."""
    return secrets.token_urlsafe(12)


class PublicForm(models.Model):
    """A form that anybody with its address may fill in.

    `definition` is what members are building; visitors get the version that was published last, `current`. `step`
    names the state of the building that is shown, so that each can be undone. `next_key` numbers the fields and never
    goes back: an answer to a question that was deleted is never taken for one to a new question.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    class Serves(models.TextChoices):
        PUBLIC = "public", "The public"
        PORTAL = "portal", "A portal"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="public_forms")
    # The questions and the look of a portal are a form that has no address of its own: see portal/accounts.
    serves = models.CharField(max_length=8, choices=Serves, default=Serves.PUBLIC, editable=False)
    token = models.CharField(max_length=24, unique=True, default=new_token, editable=False)
    title = models.CharField(max_length=120)
    description = models.TextField(max_length=2000, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    definition = models.JSONField(default=list, editable=False)
    step = models.PositiveIntegerField(default=1, editable=False)
    next_key = models.PositiveIntegerField(default=1, editable=False)
    current = models.ForeignKey("FormVersion", null=True, on_delete=models.PROTECT, related_name="+", editable=False)

    languages = models.JSONField(default=list, help_text="Codes of the languages it is shown in, the usual one first.")
    color = models.CharField(max_length=7, default=DEFAULT_COLOR)
    thank_you = models.TextField("thank-you text", max_length=1000, blank=True)
    redirect_url = models.CharField("address to go on to", max_length=500, blank=True)

    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    limit_total = models.PositiveIntegerField("submissions in all", null=True, blank=True)
    limit_per_number = models.PositiveIntegerField("submissions of one number", null=True, blank=True)
    password = models.CharField(max_length=200, blank=True, editable=False)  # hashed, as passwords of people are
    closed_message = models.TextField("text of a closed form", max_length=1000, blank=True)
    embed_origins = models.JSONField("pages that may embed it", default=list)

    confirmation_template = models.ForeignKey(
        Template, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    updates_contact = models.BooleanField("keeps who sent it as a contact", default=True)

    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "public form"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(current__isnull=False), name="form_open_with_version"
            ),
            models.CheckConstraint(condition=models.Q(color__regex=r"^#[0-9a-f]{6}$"), name="form_color_is_hex"),
            models.CheckConstraint(
                condition=models.Q(opens_at=None)
                | models.Q(closes_at=None)
                | models.Q(opens_at__lt=models.F("closes_at")),
                name="form_opens_before_it_closes",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="form_newest_first")]

    def __str__(self) -> str:
        return self.title

    @property
    def has_password(self) -> bool:
        return bool(self.password)

    @property
    def knows_number(self) -> bool:
        """Whether who fills it in has proved a number already: that of a portal comes after the code."""
        return self.serves == self.Serves.PORTAL


class FormVersion(models.Model):
    """The questions as they were published once; a submission keeps the version that it answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "version of a form"
        verbose_name_plural = "versions of forms"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="form_version_numbered_once")]

    def __str__(self) -> str:
        return f"{self.form} v{self.number}"


class FormStep(models.Model):
    """A state of the building, kept for undo; the oldest are forgotten."""

    id = models.BigAutoField(primary_key=True)
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    what = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "step of building a form"
        verbose_name_plural = "steps of building forms"
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="form_step_numbered_once")]

    def __str__(self) -> str:
        return f"Step {self.number}"


class FormPicture(models.Model):
    """The logo or the cover of a form; its type is what its first bytes say, never what the sender said."""

    class Place(models.TextChoices):
        LOGO = "logo", "Logo"
        COVER = "cover", "Cover"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="pictures")
    place = models.CharField(max_length=8, choices=Place)
    content = models.BinaryField()
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "picture of a form"
        verbose_name_plural = "pictures of forms"
        constraints = [
            models.UniqueConstraint(fields=["form", "place"], name="form_picture_once_per_place"),
            models.CheckConstraint(
                condition=models.Q(content_type__in=["image/png", "image/jpeg", "image/gif", "image/webp"]),
                name="form_picture_type_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_place_display()


class Submission(models.Model):
    """What somebody sent: `answers` by the keys of the version's fields; `verified_at` is the server's own proof."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    form = models.ForeignKey(PublicForm, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    answers = models.JSONField(default=dict)
    search_text = models.TextField(blank=True, default="")
    phone = models.CharField(max_length=16, blank=True)
    verified_at = models.DateTimeField(null=True)
    verified_by = models.CharField("verified by", max_length=12, blank=True)  # the channel of the code
    verification_id = models.UUIDField(null=True)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="submissions")
    confirmation = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+")
    confirmation_problem = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=12, blank=True)
    network = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            # A proof serves once, whoever presses the button twice.
            models.UniqueConstraint(fields=["verification_id"], name="submission_proof_used_once"),
            models.CheckConstraint(
                condition=models.Q(verified_at=None) | (models.Q(verification_id__isnull=False) & ~models.Q(phone="")),
                name="submission_verified_by_a_proof",
            ),
        ]
        indexes = [
            models.Index(fields=["form", "-id"], name="submission_newest_first"),
            models.Index(fields=["form", "phone"], condition=~models.Q(phone=""), name="submission_by_number"),
            models.Index(fields=["version"], name="submission_by_version"),
        ]

    def __str__(self) -> str:
        return f"Submission of {mask_phone(self.phone)}" if self.phone else "Submission"


class FormDraft(models.Model):
    """What a visitor has entered before the number is proved; whoever has the secret goes on with it.

    Afterwards it names the submission for a while, so that the same button pressed twice sends once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="drafts")
    version = models.ForeignKey(FormVersion, on_delete=models.CASCADE, related_name="+", db_index=False)
    answers = models.JSONField(default=dict)
    phone = models.CharField(max_length=16, blank=True)
    verification_id = models.UUIDField(null=True)
    secret_hash = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=12, blank=True)
    network = models.CharField(max_length=50, blank=True)
    submission = models.ForeignKey(Submission, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "begun submission"
        indexes = [
            models.Index(fields=["expires_at"], name="form_draft_by_end"),
            models.Index(fields=["phone"], condition=~models.Q(phone=""), name="form_draft_by_number"),
        ]

    def __str__(self) -> str:
        return f"Begun submission of {self.form}"


class SubmissionFile(models.Model):
    """A file that a visitor sent, kept in the database: the web and the workers may be on different hosts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    submission = models.ForeignKey(Submission, null=True, on_delete=models.CASCADE, related_name="files")
    draft = models.ForeignKey(FormDraft, null=True, on_delete=models.CASCADE, related_name="files")
    key = models.CharField("field", max_length=12)
    name = models.CharField(max_length=120)
    kind = models.CharField("type", max_length=8)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "file of a submission"
        verbose_name_plural = "files of submissions"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(submission__isnull=False, draft=None)
                | models.Q(submission=None, draft__isnull=False),
                name="submission_file_of_one",
            ),
            models.UniqueConstraint(fields=["submission", "key"], name="submission_file_once_per_field"),
            models.UniqueConstraint(fields=["draft", "key"], name="draft_file_once_per_field"),
        ]

    def __str__(self) -> str:
        return self.name


class SubmissionExport(models.Model):
    """A table of submissions that a job writes, to be downloaded for some days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    form = models.ForeignKey(PublicForm, on_delete=models.CASCADE, related_name="exports")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    wanted = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "export of submissions"
        verbose_name_plural = "exports of submissions"
        indexes = [models.Index(fields=["created_at"], name="submission_export_by_age")]

    def __str__(self) -> str:
        return f"Export of {self.form}"


class ExportPiece(models.Model):
    """Some rows of an export: what one slice of the job wrote."""

    id = models.BigAutoField(primary_key=True)
    export = models.ForeignKey(SubmissionExport, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = "piece of an export"
        verbose_name_plural = "pieces of exports"
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="export_piece_once")]

    def __str__(self) -> str:
        return f"Piece {self.number}"
