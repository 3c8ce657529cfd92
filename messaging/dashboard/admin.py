"""The counts behind the dashboard among all records."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import BigRecordAdmin, OperatorAdmin

from .models import CountProgress, QuarterCount


@admin.register(QuarterCount)
class QuarterCountAdmin(BigRecordAdmin):
    list_display = ("begins", "delivered", "on_way", "failed", "handed_over", "is_stale", "counted_at")
    search_fields = ("begins",)
    fields: ClassVar[tuple[str, ...]] = (
        "begins", "delivered", "on_way", "failed", "handed_over", "is_stale", "counted_at",
    )  # fmt: skip


@admin.register(CountProgress)
class CountProgressAdmin(OperatorAdmin):
    list_display = ("id", "event", "before", "at")
    search_fields = ("event",)
