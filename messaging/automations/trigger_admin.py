"""What triggers keep, among all records: looked at, never changed here. Secrets are not shown anywhere."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import RecordAdmin

from .trigger_models import AutomationHook, HookCall, HookRefusal, HookSample, SeenEvent, ThresholdState


@admin.register(AutomationHook)
class AutomationHookAdmin(RecordAdmin):
    list_display = ("automation", "refused_count", "sampled_at", "rotated_at")
    search_fields = ("automation__name",)
    list_select_related = ("automation",)
    fields: ClassVar[tuple[str, ...]] = (
        "automation", "shape", "sampled_at", "refused_count", "rotated_at", "former_until", "created_at",
    )  # fmt: skip


class OfHookAdmin(RecordAdmin):
    """Rows of a hook."""

    organization_path = "hook__organization"
    search_fields = ("hook__automation__name",)
    list_select_related = ("hook__automation",)


@admin.register(HookSample)
class HookSampleAdmin(OfHookAdmin):
    list_display = ("hook", "at")
    fields: ClassVar[tuple[str, ...]] = ("hook", "payload", "at")


@admin.register(HookCall)
class HookCallAdmin(OfHookAdmin):
    list_display = ("hook", "run_id", "at")
    fields: ClassVar[tuple[str, ...]] = ("hook", "run_id", "at")


@admin.register(HookRefusal)
class HookRefusalAdmin(OfHookAdmin):
    list_display = ("hook", "status", "code", "at")
    fields: ClassVar[tuple[str, ...]] = ("hook", "status", "code", "detail", "ip", "at")


@admin.register(ThresholdState)
class ThresholdStateAdmin(RecordAdmin):
    organization_path = "automation__organization"
    list_display = ("automation", "subject", "is_over", "value", "fired_at")
    search_fields = ("automation__name", "subject")
    list_select_related = ("automation",)
    fields: ClassVar[tuple[str, ...]] = (
        "automation", "subject", "is_over", "value", "held_back", "fired_at", "at",
    )  # fmt: skip


@admin.register(SeenEvent)
class SeenEventAdmin(RecordAdmin):
    list_display = ("name", "seen_at")
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("name", "sample", "seen_at")
