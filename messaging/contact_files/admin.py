"""Imports among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import ContactImport, ImportedNumber


@admin.register(ContactImport)
class ContactImportAdmin(BigRecordAdmin):
    view_capability = Capability.EDIT_CONTACTS
    list_display = ("file_name", "kind", "state", "created_by", "created_at", "finished_at")
    list_filter = ("kind", "state", "created_at")
    search_fields = ("file_name",)
    list_select_related = ("created_by",)
    fields: ClassVar[tuple[str, ...]] = (
        "file_name", "file_sha256", "kind", "state", "counts", "created_by", "created_at", "finished_at",
    )  # fmt: skip


@admin.register(ImportedNumber)
class ImportedNumberAdmin(BigRecordAdmin):
    organization_path = "upload__organization"
    view_capability = Capability.EDIT_CONTACTS
    list_display = ("upload", "row")
    search_fields = ("upload__name",)
    list_select_related = ("upload",)
    fields: ClassVar[tuple[str, ...]] = ("upload", "row")
