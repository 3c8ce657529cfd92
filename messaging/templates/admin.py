"""Templates among all records: written and versioned on pages of their own."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import RecordAdmin

from .models import Template, TemplateVersion


@admin.register(Template)
class TemplateAdmin(RecordAdmin):
    list_display = ("name", "current", "created_at", "archived_at")
    search_fields = ("name",)
    list_select_related = ("current__template",)
    fields: ClassVar[tuple[str, ...]] = ("name", "current", "created_at", "archived_at")


@admin.register(TemplateVersion)
class TemplateVersionAdmin(RecordAdmin):
    organization_path = "template__organization"
    list_display = ("template", "number", "author", "created_at")
    search_fields = ("template__name", "body")
    list_select_related = ("template", "created_by")
    fields: ClassVar[tuple[str, ...]] = ("template", "number", "body", "author", "created_at")

    @admin.display(description="created by", ordering="created_by__email")
    def author(self, version: TemplateVersion) -> str:
        return str(version.created_by or "")
