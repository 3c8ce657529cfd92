"""Portals, their texts and terms; their people, and how these came in: visits, sessions, passkeys, invitations."""

from django.db import models
from django.db.models.functions import Lower, Now

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization, User
from messaging.contacts.models import Contact
from messaging.jobs.models import Job
from messaging.sending.models import Message
from portal.forms.models import PublicForm, Submission


class Portal(models.Model):
    """A place that people outside of the organization log into, at `/p/{slug}/` or on a domain of its own.

    What is asked of those who register, and how the pages look (languages, colour, pictures, welcome), are those of
    `form`, which is never opened to the public by itself.
    """

    class Admission(models.TextChoices):
        OPEN = "open", "Everybody may register"
        APPROVAL = "approval", "Everybody may register, and you approve"
        INVITATION = "invitation", "By invitation only"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="portals")
    form = models.OneToOneField(PublicForm, on_delete=models.PROTECT, related_name="portal", editable=False)
    name = models.CharField(max_length=80)
    slug = models.SlugField("address", max_length=50, unique=True)
    domain = models.CharField("own domain", max_length=253, null=True, blank=True, unique=True)
    # Until somebody came by the domain, links lead to the usual address: nobody knows yet whether it works.
    domain_seen_at = models.DateTimeField("own domain seen at", null=True, editable=False)
    is_on = models.BooleanField("switched on", default=False)
    admission = models.CharField("who may come", max_length=12, choices=Admission, default=Admission.APPROVAL)
    may_apply_again = models.BooleanField("rejected people may apply again", default=False)
    session_days = models.PositiveSmallIntegerField("days until one logs in again", default=30)
    invitation_days = models.PositiveSmallIntegerField("days an invitation holds", default=14)
    reminder_days = models.PositiveSmallIntegerField("days until a reminder", null=True, blank=True)
    offers_password = models.BooleanField("offers a password beside the code", default=False)
    offers_passkeys = models.BooleanField("offers passkeys", default=True)
    tells_new_logins = models.BooleanField("tells people of logins from new devices", default=True)
    terms = models.ForeignKey("PortalTerms", null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(session_days__range=(1, 365), invitation_days__range=(1, 90)),
                name="portal_lasts_days",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def terms_in(self, language: str) -> str:
        """Return the present terms in a language, else in the first of the portal that they are written in."""
        texts = self.terms.texts if self.terms is not None else {}
        return next((texts[code] for code in (language, *self.form.languages, *texts) if texts.get(code)), "")


class PortalRole(models.Model):
    """What some people of a portal are called together, so that they can be written to; it opens nothing by itself."""

    id = models.BigAutoField(primary_key=True)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=40)
    is_default = models.BooleanField("whoever registers gets it", default=False)

    class Meta:
        verbose_name = "role of a portal"
        verbose_name_plural = "roles of portals"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("portal", Lower("name"), name="portal_role_named_once"),
            models.UniqueConstraint(fields=["portal"], condition=models.Q(is_default=True), name="portal_role_default"),
        ]

    def __str__(self) -> str:
        return self.name


class PortalTerms(models.Model):
    """The terms as they stood once: a text for each language; who accepted them keeps the version."""

    id = models.BigAutoField(primary_key=True)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="all_terms")
    number = models.PositiveIntegerField()
    texts = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "terms of a portal"
        verbose_name_plural = "terms of portals"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["portal", "number"], name="portal_terms_numbered_once")]

    def __str__(self) -> str:
        return f"Terms, version {self.number}"


class PortalText(models.Model):
    """An organization's own words for an SMS of a portal, in one language; without a row the usual ones are sent."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        REMINDER = "reminder", "Reminder of an invitation"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        NOTIFICATION = "notification", "Notification"
        NEW_LOGIN = "new_login", "Login from a new device"

    id = models.BigAutoField(primary_key=True)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="texts")
    kind = models.CharField(max_length=12, choices=Kind)
    language = models.CharField(max_length=12)
    body = models.TextField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "text of a portal"
        verbose_name_plural = "texts of portals"
        constraints = [models.UniqueConstraint(fields=["portal", "kind", "language"], name="portal_text_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.language})"


class PortalUser(models.Model):
    """A person of one portal. The same person in another portal is another one of these, and nothing joins them.

    Every change of `status` goes through people.py. `submission` is what was entered at registration. After erasure
    `phone` is empty.
    """

    class Status(models.TextChoices):
        INVITED = "invited", "Invited"
        WAITING = "waiting", "Waiting for approval"
        ACTIVE = "active", "Active"
        REJECTED = "rejected", "Rejected"
        SUSPENDED = "suspended", "Suspended"
        LEFT = "left", "Left"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portal = models.ForeignKey(Portal, on_delete=models.PROTECT, related_name="users", db_index=False)
    phone = models.CharField(max_length=16, blank=True)
    region = models.CharField("country", max_length=3, blank=True)
    status = models.CharField(max_length=10, choices=Status)
    role = models.ForeignKey(PortalRole, null=True, blank=True, on_delete=models.SET_NULL, related_name="users")
    name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=12, blank=True)
    submission = models.ForeignKey(Submission, null=True, on_delete=models.SET_NULL, related_name="portal_users")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="portal_users")
    terms = models.ForeignKey(PortalTerms, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    terms_at = models.DateTimeField("terms accepted at", null=True)
    password = models.CharField(max_length=200, blank=True, editable=False)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField("reason", max_length=300, blank=True)
    # From then on a code is enough, because whoever has the number said that the password was forgotten.
    password_lapses_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(null=True)
    # Since when the number is theirs, where it was changed: what came to it before was for somebody else.
    number_since = models.DateTimeField(null=True)
    last_login_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "portal user"
        constraints = [
            models.UniqueConstraint(
                fields=["portal", "phone"], condition=~models.Q(phone=""), name="portal_user_once_per_number"
            )
        ]
        indexes = [
            models.Index(fields=["portal", "-id"], name="portal_user_newest_first"),
            models.Index(fields=["portal", "status", "-id"], name="portal_user_by_status"),
            models.Index(fields=["phone"], condition=~models.Q(phone=""), name="portal_user_by_number"),
        ]

    def __str__(self) -> str:
        return self.name or (f"portal user {mask_phone(self.phone)}" if self.phone else "an erased portal user")


class PortalInvitation(models.Model):
    """An invitation of one number: a link that works once, until it ends or is taken back. Only its hash is kept."""

    class Source(models.TextChoices):
        HAND = "hand", "By hand"
        CONTACTS = "contacts", "From contacts"
        FILE = "file", "From a file"
        API = "api", "API"
        AUTOMATION = "automation", "Automation"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="invitations", db_index=False)
    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True)
    source = models.CharField(max_length=10, choices=Source)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "invitation to a portal"
        verbose_name_plural = "invitations to portals"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(used_at=None, revoked_at=None), name="portal_invitation_open_once"
            )
        ]
        indexes = [
            models.Index(fields=["portal", "-id"], name="portal_invitation_newest"),
            models.Index(
                fields=["remind_at"],
                condition=models.Q(used_at=None, revoked_at=None, reminded_at=None, remind_at__isnull=False),
                name="portal_invitation_to_remind",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation of {self.user}"


class PortalVisit(models.Model):
    """Somebody's way to a proved number, bound to one browser by a cookie whose hash is kept.

    `enter` proves the number of who registers or logs in; `number` proves the present and the new number of who is
    logged in. `verification_id` is that of `phone`, `old_verification_id` that of the number so far.
    """

    class Purpose(models.TextChoices):
        ENTER = "enter", "Register or log in"
        NUMBER = "number", "Change the number"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="visits", db_index=False)
    secret_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.ENTER)
    user = models.ForeignKey(PortalUser, null=True, on_delete=models.CASCADE, related_name="visits")
    invitation = models.ForeignKey(
        PortalInvitation, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    phone = models.CharField(max_length=16, blank=True)
    verification_id = models.UUIDField(null=True)
    proved_at = models.DateTimeField(null=True)
    old_verification_id = models.UUIDField(null=True)
    old_proved_at = models.DateTimeField(null=True)
    password_tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "visit of a portal"
        verbose_name_plural = "visits of portals"
        indexes = [models.Index(fields=["expires_at"], name="portal_visit_by_end")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({mask_phone(self.phone)})" if self.phone else self.get_purpose_display()


class PortalDevice(models.Model):
    """A browser in which a person of a portal was logged in, known again by a cookie whose hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="devices")
    token_hash = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=80, blank=True)
    first_seen = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "device of a portal user"
        verbose_name_plural = "devices of portal users"

    def __str__(self) -> str:
        return self.label or "a device"


class PortalSession(models.Model):
    """One login: its cookie's hash, and until when it holds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="sessions")
    device = models.ForeignKey(PortalDevice, null=True, on_delete=models.SET_NULL, related_name="sessions")
    token_hash = models.CharField(max_length=64, unique=True)
    network = models.CharField(max_length=60, blank=True)
    begun_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "session of a portal user"
        verbose_name_plural = "sessions of portal users"
        indexes = [models.Index(fields=["expires_at"], name="portal_session_by_end")]

    def __str__(self) -> str:
        return "session"


class PortalLogin(models.Model):
    """A line of the history of logins: who came in or was turned away at the last step, how and from where."""

    class How(models.TextChoices):
        CODE = "code", "Code"
        PASSWORD = "password", "Code and password"
        PASSKEY = "passkey", "Passkey"

    class Outcome(models.TextChoices):
        REGISTERED = "registered", "Registered"
        IN = "in", "Logged in"
        WRONG_PASSWORD = "wrong_password", "Wrong password"
        TURNED_AWAY = "turned_away", "Turned away"

    id = models.BigAutoField(primary_key=True)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="logins", db_index=False)
    user = models.ForeignKey(PortalUser, null=True, on_delete=models.CASCADE, related_name="logins")
    how = models.CharField(max_length=10, choices=How)
    outcome = models.CharField(max_length=16, choices=Outcome)
    region = models.CharField("country", max_length=3, blank=True)
    device = models.CharField(max_length=80, blank=True)
    is_new_device = models.BooleanField(default=False)
    network = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "login to a portal"
        verbose_name_plural = "logins to portals"
        indexes = [models.Index(fields=["portal", "at"], name="portal_login_by_day")]

    def __str__(self) -> str:
        return self.get_outcome_display()


class PortalPasskey(models.Model):
    """A passkey (WebAuthn credential) of a portal user: https://www.w3.org/TR/webauthn-3/."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="passkeys")
    credential_id = models.CharField(max_length=1400, unique=True)  # base64url
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    label = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "passkey of a portal user"
        verbose_name_plural = "passkeys of portal users"

    def __str__(self) -> str:
        return self.label or "passkey"


class PortalNotification(models.Model):
    """A text to all people of a portal, to a role, or to one; a job hands it to the outbox, for each person once."""

    class Audience(models.TextChoices):
        ALL = "all", "Everybody"
        ROLE = "role", "A role"
        ONE = "one", "One person"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    audience = models.CharField(max_length=8, choices=Audience)
    role = models.ForeignKey(PortalRole, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    user = models.ForeignKey(PortalUser, null=True, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    source = models.CharField(max_length=10, choices=PortalInvitation.Source, default=PortalInvitation.Source.HAND)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "notification of a portal"
        verbose_name_plural = "notifications of portals"
        indexes = [models.Index(fields=["portal", "-id"], name="portal_notification_newest")]

    def __str__(self) -> str:
        return f"Notification, {self.get_audience_display().lower()}"


class PortalSending(models.Model):
    """An SMS of a portal to one of its people, or why it could not be queued: an admin looks at it and sends again."""

    id = models.BigAutoField(primary_key=True)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="sendings", db_index=False)
    user = models.ForeignKey(PortalUser, on_delete=models.CASCADE, related_name="sendings")
    kind = models.CharField(max_length=12, choices=PortalText.Kind)
    notification = models.ForeignKey(PortalNotification, null=True, on_delete=models.CASCADE, related_name="sendings")
    message = models.OneToOneField(Message, null=True, on_delete=models.SET_NULL, related_name="+")
    problem_code = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "SMS of a portal"
        verbose_name_plural = "SMS of portals"
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "user"],
                condition=models.Q(notification__isnull=False),
                name="portal_notification_once_each",
            )
        ]
        indexes = [models.Index(fields=["portal", "-id"], name="portal_sending_newest")]

    def __str__(self) -> str:
        return self.get_kind_display()
