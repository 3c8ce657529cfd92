"""Uploads among all records: that they are there, and nothing of what stands in them."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import Upload, UploadChunk


@admin.register(Upload)
class UploadAdmin(BigRecordAdmin):
    view_capability = Capability.EDIT_CONTACTS
    list_display = ("name", "size", "created_by", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name",)
    list_select_related = ("created_by",)
    fields: ClassVar[tuple[str, ...]] = ("name", "size", "sha256", "created_by", "created_at", "finished_at")


@admin.register(UploadChunk)
class UploadChunkAdmin(BigRecordAdmin):
    organization_path = "upload__organization"
    view_capability = Capability.EDIT_CONTACTS
    list_display = ("upload", "number")
    search_fields = ("upload__name",)
    list_select_related = ("upload",)
    fields: ClassVar[tuple[str, ...]] = ("upload", "number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UploadChunk]:
        return super().get_queryset(request).defer("data")
