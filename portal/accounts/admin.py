"""Portals and their people, among all records: set up and looked after on pages of their own; secrets stay unseen."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.masking import mask_phone
from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin

from .batch_models import PortalInvitationBatch, PortalInvitationRow
from .models import (
    Portal,
    PortalDevice,
    PortalInvitation,
    PortalLogin,
    PortalNotification,
    PortalPasskey,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalTerms,
    PortalText,
    PortalUser,
    PortalVisit,
)
from .offer_models import PortalHandover, PortalOffer


@admin.register(Portal)
class PortalAdmin(RecordAdmin):
    view_capability = Capability.PORTAL_PEOPLE
    list_display = ("name", "slug", "is_on", "admission", "created_at")
    list_filter = ("is_on", "admission")
    search_fields = ("name", "slug")
    fields: ClassVar[tuple[str, ...]] = (
        "name", "slug", "domain", "domain_seen_at", "is_on", "admission", "may_apply_again", "session_days",
        "invitation_days", "reminder_days", "offers_password", "offers_passkeys", "tells_new_logins", "terms",
        "created_at", "updated_at",
    )  # fmt: skip


class OfPortal(RecordAdmin):
    """Rows of one portal."""

    organization_path = "portal__organization"
    view_capability = Capability.PORTAL_PEOPLE
    search_fields: tuple[str, ...] = ("portal__name",)
    list_select_related: tuple[str, ...] = ("portal",)


@admin.register(PortalRole)
class PortalRoleAdmin(OfPortal):
    list_display = ("name", "portal", "is_default")
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("portal", "name", "is_default")


@admin.register(PortalTerms)
class PortalTermsAdmin(OfPortal):
    list_display = ("portal", "number", "created_at")
    fields: ClassVar[tuple[str, ...]] = ("portal", "number", "texts", "created_at")


@admin.register(PortalText)
class PortalTextAdmin(OfPortal):
    list_display = ("portal", "kind", "language", "changed_at")
    list_filter = ("kind",)
    fields: ClassVar[tuple[str, ...]] = ("portal", "kind", "language", "body", "changed_at")


@admin.register(PortalOffer)
class PortalOfferAdmin(OfPortal):
    list_display = ("form", "portal", "created_at")
    list_select_related = ("portal", "form")
    fields: ClassVar[tuple[str, ...]] = ("portal", "form", "created_at")


class OfPeople(BigRecordAdmin):
    """What is about people: for those who look after them."""

    organization_path = "portal__organization"
    view_capability = Capability.PORTAL_PEOPLE
    search_fields: tuple[str, ...] = ("portal__name",)


@admin.register(PortalUser)
class PortalUserAdmin(OfPeople):
    list_display = ("created_at", "portal", "name", "number", "status")
    list_filter = ("status",)
    search_fields = ("name",)
    list_select_related = ("portal",)
    fields: ClassVar[tuple[str, ...]] = (
        "portal", "name", "number", "region", "status", "role", "language", "contact", "terms", "terms_at",
        "decided_at", "decision_reason", "registered_at", "number_since", "last_login_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("portal", "role", "contact", "terms")

    @admin.display(description="number")
    def number(self, person: PortalUser) -> str:
        return mask_phone(person.phone)


@admin.register(PortalInvitation)
class PortalInvitationAdmin(OfPeople):
    list_display = ("created_at", "portal", "user", "source", "expires_at", "used_at", "revoked_at")
    list_select_related = ("portal", "user")
    fields: ClassVar[tuple[str, ...]] = (
        "portal", "user", "source", "created_at", "expires_at", "remind_at", "reminded_at", "used_at", "revoked_at",
    )  # fmt: skip


@admin.register(PortalInvitationBatch)
class PortalInvitationBatchAdmin(OfPeople):
    list_display = ("created_at", "portal", "label", "source", "state", "invited", "refused")
    list_filter = ("state",)
    list_select_related = ("portal",)
    fields: ClassVar[tuple[str, ...]] = (
        "portal", "label", "source", "role", "language", "state", "invited", "refused", "created_at",
    )  # fmt: skip


@admin.register(PortalInvitationRow)
class PortalInvitationRowAdmin(OfPeople):
    organization_path = "batch__portal__organization"
    search_fields = ("batch__label",)
    list_display = ("batch", "row", "name", "number", "problem_code")
    list_select_related = ("batch",)
    fields: ClassVar[tuple[str, ...]] = (
        "batch", "row", "name", "number", "language", "role", "problem_code", "problem", "invitation",
    )  # fmt: skip

    @admin.display(description="number")
    def number(self, row: PortalInvitationRow) -> str:
        return mask_phone(row.phone)


@admin.register(PortalVisit)
class PortalVisitAdmin(OfPeople):
    list_display = ("created_at", "portal", "purpose", "expires_at")
    list_select_related = ("portal",)
    fields: ClassVar[tuple[str, ...]] = ("portal", "purpose", "created_at", "expires_at")


@admin.register(PortalLogin)
class PortalLoginAdmin(OfPeople):
    list_display = ("at", "portal", "user", "how", "outcome", "is_new_device")
    list_filter = ("outcome",)
    list_select_related = ("portal", "user")
    fields: ClassVar[tuple[str, ...]] = (
        "portal", "user", "how", "outcome", "region", "device", "is_new_device", "network", "at",
    )  # fmt: skip


@admin.register(PortalNotification)
class PortalNotificationAdmin(OfPeople):
    list_display = ("created_at", "portal", "audience", "source")
    list_select_related = ("portal",)
    fields: ClassVar[tuple[str, ...]] = ("portal", "audience", "role", "text", "source", "created_at")


@admin.register(PortalSending)
class PortalSendingAdmin(OfPeople):
    list_display = ("at", "portal", "user", "kind", "problem_code")
    list_filter = ("kind",)
    list_select_related = ("portal", "user")
    fields: ClassVar[tuple[str, ...]] = ("portal", "user", "kind", "message", "problem_code", "problem", "at")


class OfPerson(OfPeople):
    """Rows of one person."""

    organization_path = "user__portal__organization"
    search_fields: tuple[str, ...] = ("user__name",)
    list_select_related: tuple[str, ...] = ("user",)


@admin.register(PortalDevice)
class PortalDeviceAdmin(OfPerson):
    list_display = ("user", "label", "first_seen", "last_seen")
    fields: ClassVar[tuple[str, ...]] = ("user", "label", "first_seen", "last_seen")


@admin.register(PortalSession)
class PortalSessionAdmin(OfPerson):
    list_display = ("user", "begun_at", "seen_at", "expires_at", "ended_at")
    fields: ClassVar[tuple[str, ...]] = ("user", "network", "begun_at", "seen_at", "expires_at", "ended_at")


@admin.register(PortalPasskey)
class PortalPasskeyAdmin(OfPerson):
    list_display = ("user", "label", "created_at", "last_used_at")
    fields: ClassVar[tuple[str, ...]] = ("user", "label", "created_at", "last_used_at")


@admin.register(PortalHandover)
class PortalHandoverAdmin(OfPerson):
    list_display = ("user", "form", "created_at", "expires_at")
    list_select_related = ("user", "form")
    fields: ClassVar[tuple[str, ...]] = ("user", "form", "created_at", "expires_at")
