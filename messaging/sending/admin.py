"""Messages and what belongs to them, among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, OperatorAdmin
from integrations.phones import pretty

from .models import IdempotencyKey, Message, MessageEvent, WorkerPulse
from .selectors import LogFilter, message_log


@admin.register(Message)
class MessageAdmin(BigRecordAdmin):
    list_display = ("number", "direction", "status", "error_code", "connection", "created_at")
    list_filter = ("status", "direction", "purpose")
    search_fields = ("provider_sid",)
    search_help_text = "Number in any writing, or SID"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = (
        "number", "direction", "status", "channel", "purpose", "route", "connection", "contact", "template", "sender",
        "body", "encoding", "segments", "provider_sid", "error_code", "error_reason", "price", "price_unit", "attempts",
        "source", "created_at", "due_at", "valid_until", "handed_over_at", "finished_at", "needs_person",
    )  # fmt: skip

    @admin.display(description="number")
    def number(self, message: Message) -> str:
        return pretty(message.phone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        if not search_term:
            return queryset, False
        found = message_log(request.organization, wanted=LogFilter(query=search_term))  # type: ignore[attr-defined]
        return queryset.filter(pk__in=found.order_by().values("pk")), False


@admin.register(MessageEvent)
class MessageEventAdmin(BigRecordAdmin):
    organization_path = "message__organization"
    list_display = ("message", "status", "source", "error_code", "at")
    list_filter = ("status", "source")
    search_fields = ("=message__provider_sid",)
    search_help_text = "SID of the message"
    list_select_related = ("message",)
    fields: ClassVar[tuple[str, ...]] = ("message", "status", "source", "error_code", "note", "at")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(BigRecordAdmin):
    view_capability = Capability.MANAGE_KEYS
    list_display = ("created_at", "message")
    search_fields = ("=message__provider_sid",)
    search_help_text = "SID of the message"
    list_select_related = ("message",)
    fields: ClassVar[tuple[str, ...]] = ("message", "created_at")


@admin.register(WorkerPulse)
class WorkerPulseAdmin(OperatorAdmin):
    list_display = ("name", "host", "pid", "seen_at")
    search_fields = ("name", "host")
