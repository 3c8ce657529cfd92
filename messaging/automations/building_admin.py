"""The steps of building, among all records."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import RecordAdmin

from .models import AutomationDraft


@admin.register(AutomationDraft)
class AutomationDraftAdmin(RecordAdmin):
    organization_path = "automation__organization"
    list_display = ("automation", "what", "is_undone", "at")
    search_fields = ("automation__name",)
    list_select_related = ("automation",)
    fields: ClassVar[tuple[str, ...]] = ("automation", "what", "is_undone", "flow", "at")
