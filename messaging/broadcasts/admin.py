"""Broadcasts among all records: to be looked at only; they are changed by their pages."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import Broadcast, Recipient, RecipientBatch


@admin.register(Broadcast)
class BroadcastAdmin(BigRecordAdmin):
    list_display = ("name", "status", "audience", "purpose", "created_at")
    list_filter = ("status", "audience", "purpose", "created_at")
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = (
        "name", "status", "audience", "purpose", "template", "body", "connection", "sender", "includes_landlines",
        "ready_count", "left_out_count", "bad_count", "skips_bad", "fed_count", "paused_reason", "paused_detail",
        "created_by_label", "started_by_label", "created_at", "checked_at", "started_at", "paused_at", "finished_at",
    )  # fmt: skip


@admin.register(Recipient)
class RecipientAdmin(BigRecordAdmin):
    organization_path = "broadcast__organization"
    list_display = ("place", "broadcast", "state", "reason", "segments")
    list_filter = ("state",)
    search_fields = ("phone__exact",)
    search_help_text = "The number as it is stored, like +4930123456"
    list_select_related = ("broadcast",)
    fields: ClassVar[tuple[str, ...]] = (
        "broadcast", "row", "phone", "region", "contact", "body", "encoding", "segments", "state", "reason",
        "problem", "field", "typed", "repeats_row",
    )  # fmt: skip

    @admin.display(description="recipient")
    def place(self, recipient: Recipient) -> str:
        return str(recipient)


@admin.register(RecipientBatch)
class RecipientBatchAdmin(BigRecordAdmin):
    organization_path = "broadcast__organization"
    list_display = ("place", "broadcast", "created_at")
    list_select_related = ("broadcast",)
    search_fields = ("broadcast__name",)
    fields: ClassVar[tuple[str, ...]] = ("broadcast", "first_row", "count", "created_at")

    @admin.display(description="rows")
    def place(self, batch: RecipientBatch) -> str:
        return str(batch)
