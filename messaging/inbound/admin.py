"""Files that people sent, among all records: without their content."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import MessageMedia


@admin.register(MessageMedia)
class MessageMediaAdmin(BigRecordAdmin):
    list_display = ("created_at", "content_type", "state", "reason", "size")
    search_fields = ("content_type",)
    list_filter = ("state", "created_at")
    fields: ClassVar[tuple[str, ...]] = (
        "message", "position", "content_type", "state", "reason", "size", "attempts", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageMedia]:
        return super().get_queryset(request).defer("content")
