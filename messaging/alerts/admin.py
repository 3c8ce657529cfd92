"""Alerts and their letters among all records."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin

from .models import Alert, AlertMail, FailureCount, MailRefusal


@admin.register(Alert)
class AlertAdmin(RecordAdmin):
    list_display = ("raised_at", "kind", "text", "cleared_at", "emailed_at", "dismissed_at")
    list_filter = ("kind", "raised_at")
    search_fields = ("text",)
    fields: ClassVar[tuple[str, ...]] = (
        "kind", "key", "text", "link", "raised_at", "cleared_at", "emailed_at", "dismissed_at", "dismissed_by",
    )  # fmt: skip


@admin.register(AlertMail)
class AlertMailAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_MEMBERS
    list_display = ("due_at", "recipient", "outcome", "attempts", "sent_at")
    list_filter = ("outcome",)
    search_fields = ("recipient__email",)
    list_select_related = ("recipient",)
    fields: ClassVar[tuple[str, ...]] = ("recipient", "alerts", "outcome", "attempts", "due_at", "sent_at")


@admin.register(MailRefusal)
class MailRefusalAdmin(RecordAdmin):
    organization_path = "member__organization"
    view_capability = Capability.MANAGE_MEMBERS
    list_display = ("member",)
    search_fields = ("member__user__email",)
    list_select_related = ("member__user",)
    fields: ClassVar[tuple[str, ...]] = ("member",)


@admin.register(FailureCount)
class FailureCountAdmin(BigRecordAdmin):
    list_display = ("minute", "cause", "failed")
    search_fields = ("cause",)
    search_help_text = "Twilio's code, or a word of ours"
    fields: ClassVar[tuple[str, ...]] = ("minute", "cause", "failed")
