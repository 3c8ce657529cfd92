"""The organization's own records, and for operators those of the installation."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.templatetags.hg_base import phone

from . import audit
from .models import ApiKey, AuditEntry, Invitation, Member, Organization, User
from .roles import Capability
from .selectors import fits_member
from .tenant_admin import BigRecordAdmin, OperatorAdmin, RecordAdmin


@admin.register(Organization)
class OrganizationAdmin(OperatorAdmin):
    list_display = ("name", "slug", "status", "default_region", "time_zone", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    fields: ClassVar[tuple[str, ...]] = (
        "name", "slug", "status", "suspended_at", "suspended_reason", "default_region", "time_zone", "language",
        "created_at",
    )  # fmt: skip


@admin.register(User)
class UserAdmin(OperatorAdmin):
    """People, without passwords; whether somebody may sign in or is an operator is changed here."""

    list_display = ("email", "name", "is_active", "is_operator", "last_login", "date_joined")
    list_filter = ("is_active", "is_operator")
    search_fields = ("email", "name")
    fields: ClassVar[tuple[str, ...]] = ("email", "name", "is_active", "is_operator", "last_login", "date_joined")
    readonly_fields = ("email", "last_login", "date_joined")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request) and obj != request.user

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Write the change to the audit log of the installation, which belongs to no organization."""
        state = {"is_active": obj.is_active, "is_operator": obj.is_operator}
        return audit.record(None, actor=request.user, action="user.changed", target=obj, changes=state)  # type: ignore[arg-type]


@admin.register(Member)
class MemberAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_MEMBERS
    list_display = ("email", "name", "number", "role", "created_at")
    list_filter = ("role",)
    search_fields = ("user__email", "user__name")
    search_help_text = "Name, e-mail or number"
    list_select_related = ("user",)
    fields: ClassVar[tuple[str, ...]] = ("email", "name", "number", "role", "created_at")

    @admin.display(description="e-mail", ordering="user__email")
    def email(self, member: Member) -> str:
        return member.user.email

    @admin.display(description="name", ordering="user__name")
    def name(self, member: Member) -> str:
        return member.user.name

    @admin.display(description="number", ordering="phone")
    def number(self, member: Member) -> str:
        return phone(member.phone) if member.phone else ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(fits_member(request.organization, search_term)), False  # type: ignore[attr-defined]


@admin.register(Invitation)
class InvitationAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_MEMBERS
    list_display = ("email", "role", "inviter", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = ("role", "created_at")
    search_fields = ("email",)
    list_select_related = ("invited_by",)
    fields: ClassVar[tuple[str, ...]] = (
        "email", "role", "inviter", "created_at", "expires_at", "accepted_at", "revoked_at",
    )  # fmt: skip

    @admin.display(description="invited by", ordering="invited_by__email")
    def inviter(self, invitation: Invitation) -> str:
        return str(invitation.invited_by or "")


@admin.register(ApiKey)
class ApiKeyAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_KEYS
    list_display = ("name", "prefix", "maker", "created_at", "last_used_at", "revoked_at")
    search_fields = ("name", "prefix")
    list_select_related = ("created_by",)
    fields: ClassVar[tuple[str, ...]] = (
        "name", "prefix", "scopes", "maker", "created_at", "last_used_at", "revoked_at",
    )  # fmt: skip

    @admin.display(description="created by", ordering="created_by__email")
    def maker(self, key: ApiKey) -> str:
        return str(key.created_by or "")


@admin.register(AuditEntry)
class AuditEntryAdmin(BigRecordAdmin):
    view_capability = Capability.VIEW_AUDIT
    list_display = ("at", "actor_label", "action", "object_kind", "object_label")
    list_filter = ("at",)
    search_fields = ("actor_label", "action", "object_label")
    fields: ClassVar[tuple[str, ...]] = (
        "at", "actor_label", "action", "object_kind", "object_label", "changes", "ip",
    )  # fmt: skip
