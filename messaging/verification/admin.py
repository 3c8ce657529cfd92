"""Verifications among all records: to be looked at only. No code stands there, in whatever form."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin
from messaging.templatetags.hg import phone
from messaging.templatetags.hg_verifications import verification_pill

from .models import ClosedChannel, Verification, VerificationSend
from .selectors import VerificationFilter, verifications_of


@admin.register(Verification)
class VerificationAdmin(BigRecordAdmin):
    list_display = ("number", "state", "backend", "channel", "asker_kind", "created_at")
    list_filter = ("status", "backend", "channel", "asker_kind", "created_at")
    search_fields = ("provider_sid",)
    search_help_text = "Number in any writing, or SID"
    fields: ClassVar[tuple[str, ...]] = (
        "number", "email", "region", "state", "asker_kind", "backend", "route", "connection", "service_sid", "channel",
        "locale", "provider_sid", "sends", "checks", "error", "error_reason", "network", "created_at", "expires_at",
        "resend_after", "delivered_at", "approved_at", "ended_at",
    )  # fmt: skip

    @admin.display(description="number")
    def number(self, verification: Verification) -> SafeString:
        return phone(verification.phone)

    @admin.display(description="status")
    def state(self, verification: Verification) -> SafeString:
        return render_to_string("components/pill.html", verification_pill(verification.state))

    @admin.display(description="error code")
    def error(self, verification: Verification) -> str:
        return str(verification.error_code or "")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Verification], search_term: str
    ) -> tuple[QuerySet[Verification], bool]:
        if not search_term:
            return queryset, False
        wanted = VerificationFilter(query=search_term)
        found = verifications_of(request.organization, wanted=wanted)  # type: ignore[attr-defined]
        return queryset.filter(pk__in=found.order_by().values("pk")), False


@admin.register(VerificationSend)
class VerificationSendAdmin(BigRecordAdmin):
    organization_path = "verification__organization"
    list_display = ("verification", "channel", "outcome", "error", "at")
    list_filter = ("outcome", "channel", "at")
    search_fields = ("verification__provider_sid__exact",)
    search_help_text = "SID of the verification"
    list_select_related = ("verification",)
    fields: ClassVar[tuple[str, ...]] = (
        "verification", "channel", "message", "outcome", "error", "error_reason", "at",
    )  # fmt: skip

    @admin.display(description="error code")
    def error(self, send: VerificationSend) -> str:
        return str(send.error_code or "")


@admin.register(ClosedChannel)
class ClosedChannelAdmin(RecordAdmin):
    organization_path = "connection__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("channel", "connection", "error_code", "at")
    search_fields = ("service_sid",)
    search_help_text = "SID of the Verify Service"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = ("connection", "service_sid", "channel", "error_code", "at")
