"""Long work, among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import Job


@admin.register(Job)
class JobAdmin(BigRecordAdmin):
    list_display = ("title", "state", "done", "total", "created_at", "finished_at")
    list_filter = ("state", "created_at")
    search_fields = ("kind__exact",)
    search_help_text = "Kind of work"
    fields: ClassVar[tuple[str, ...]] = (
        "title", "kind", "state", "done", "total", "note", "error", "failures", "created_at", "started_at",
        "finished_at",
    )  # fmt: skip
