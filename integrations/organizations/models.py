"""Users, organizations, their members, invitations, API keys and the audit log."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.masking import mask_email

from .roles import Capability, Role, role_can


class UserManager(BaseUserManager["User"]):
    """Create users by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create and return a user; the address is kept in lower case."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create and return an operator: installation staff, who may create and suspend organizations."""
        return self.create_user(email, password, is_operator=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in; belongs to organizations through Member rows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField("may sign in", default=True)
    is_operator = models.BooleanField(
        "operator", default=False, help_text="Installation staff: creates and suspends organizations."
    )
    date_joined = models.DateTimeField("joined", default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once_in_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """What Django's admin asks; our site asks for a membership besides."""
        return self.is_operator

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email.split("@")[0]


class Organization(models.Model):
    """A tenant: everything a member sees belongs to one."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=50, unique=True, help_text="The organization's part of each address.")
    default_region = models.CharField(
        max_length=2, default="US", help_text="Numbers written without + are read as numbers of this country."
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=12, default="en")
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.status == self.Status.SUSPENDED


class Member(models.Model):
    """A user's place in an organization; `phone` is where its automations text them, "" for nowhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.AGENT)
    phone = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="member_once_per_organization"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[0-9]{3,15}$"), name="member_phone_is_e164"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def can(self, capability: Capability) -> bool:
        """Tell whether this member's role carries the capability."""
        return role_can(self.role, capability)


class Invitation(models.Model):
    """An offer of membership, sent by e-mail; its token is kept as a hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField("e-mail")
    role = models.CharField(max_length=12, choices=Role, default=Role.AGENT)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "organization",
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"Invitation of {mask_email(self.email)}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class ApiKey(models.Model):
    """A key of the REST API; shown once, kept as a SHA-256 hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None


class AuditEntry(models.Model):
    """Who changed what, and when. Rows are only ever added: a trigger refuses the rest.

    The actor is kept by id and label, not by foreign key, so that removing a user changes no history.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="audit_entries", editable=False
    )
    actor_id = models.UUIDField(null=True, editable=False)
    actor_label = models.CharField("who", max_length=200, editable=False)
    action = models.CharField(max_length=60, editable=False)
    object_kind = models.CharField("what", max_length=60, blank=True, editable=False)
    object_id = models.CharField(max_length=40, blank=True, editable=False)
    object_label = models.CharField("which", max_length=200, blank=True, editable=False)
    changes = models.JSONField(default=dict, editable=False)
    ip = models.CharField("network", max_length=60, blank=True, editable=False)
    at = models.DateTimeField("when", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_newest_first"),
            models.Index(fields=["object_id"], condition=~models.Q(object_id=""), name="audit_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_label}"


def as_uuid(value: object) -> uuid.UUID | None:
    """Return the value as a UUID, or None where it is none: an id from an address may be anything."""
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None
