"""Automations and their runs among all records: to be looked at only; they are changed by their pages.

What triggers and steps brought and made stands on the pages of runs, where secrets are left out; not here.
"""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin
from messaging.happenings.models import Happening, Listener

from .models import Automation, AutomationVersion, Run, RunMessage, RunStep


@admin.register(Automation)
class AutomationAdmin(RecordAdmin):
    list_display = ("name", "status", "live", "created_at", "published_at")
    list_filter = ("status",)
    search_fields = ("name",)
    list_select_related = ("live",)
    fields: ClassVar[tuple[str, ...]] = (
        "name", "status", "live", "draft_number", "cap_count", "cap_hours", "per_minute", "next_start_at",
        "next_look_at", "looked_until", "created_at", "updated_at", "published_at",
    )  # fmt: skip


@admin.register(AutomationVersion)
class AutomationVersionAdmin(RecordAdmin):
    organization_path = "automation__organization"
    list_display = ("place", "automation", "published_at")
    search_fields = ("automation__name",)
    list_select_related = ("automation",)
    fields: ClassVar[tuple[str, ...]] = ("automation", "number", "published_at")

    @admin.display(description="version")
    def place(self, version: AutomationVersion) -> str:
        return str(version)


@admin.register(Run)
class RunAdmin(BigRecordAdmin):
    list_display = ("created_at", "automation", "status", "reason", "is_test")
    list_filter = ("status", "is_test", "created_at")
    search_fields = ("phone__exact",)
    search_help_text = "The number as it is stored, like +4930123456"
    list_select_related = ("automation",)
    fields: ClassVar[tuple[str, ...]] = (
        "automation", "version", "contact", "phone", "is_test", "status", "position", "steps_done", "lane", "due_at",
        "reason", "detail", "created_at", "started_at", "ended_at",
    )  # fmt: skip


@admin.register(RunStep)
class RunStepAdmin(BigRecordAdmin):
    organization_path = "run__organization"
    list_display = ("started_at", "kind", "node", "status", "reason", "attempts")
    list_filter = ("status",)
    search_fields = ("kind__exact",)
    search_help_text = "Kind of step"
    fields: ClassVar[tuple[str, ...]] = (
        "run", "ordinal", "node", "kind", "status", "attempts", "branch", "reason", "detail", "started_at", "ended_at",
    )  # fmt: skip


@admin.register(RunMessage)
class RunMessageAdmin(BigRecordAdmin):
    organization_path = "run__organization"
    list_display = ("at", "message", "reason")
    search_fields = ("reason__exact",)
    search_help_text = "A word of ours, like opted_out"
    list_select_related = ("message",)
    fields: ClassVar[tuple[str, ...]] = ("run", "step", "message", "reason", "detail", "at")


@admin.register(Happening)
class HappeningAdmin(BigRecordAdmin):
    list_display = ("at", "kind", "heard_at")
    list_filter = ("at",)
    search_fields = ("kind__exact",)
    search_help_text = "What happened, like contact.created"
    fields: ClassVar[tuple[str, ...]] = ("kind", "contact_id", "phone", "cause", "at", "heard_at")


@admin.register(Listener)
class ListenerAdmin(RecordAdmin):
    list_display = ("kind", "owner")
    search_fields = ("kind",)
    fields: ClassVar[tuple[str, ...]] = ("kind", "owner")
