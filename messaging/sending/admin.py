"""Messages and what belongs to them, among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, OperatorAdmin, RecordAdmin
from messaging.templatetags.hg import phone, status_pill

from .limit_models import DailyUse, Pace, SendingPolicy
from .models import IdempotencyKey, Message, MessageEvent, WorkerPulse
from .selectors import LogFilter, message_log


@admin.register(Message)
class MessageAdmin(BigRecordAdmin):
    list_display = ("number", "direction", "state", "error", "way", "created_at")
    list_filter = ("status", "direction", "purpose", "created_at")
    search_fields = ("provider_sid",)
    search_help_text = "Number in any writing, or SID"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = (
        "number", "direction", "state", "channel", "purpose", "route", "way", "contact", "template", "sender",
        "body", "encoding", "segments", "sid", "error", "error_reason", "price", "price_unit", "attempts",
        "source", "created_at", "due_at", "valid_until", "handed_over_at", "finished_at", "needs_person",
    )  # fmt: skip

    @admin.display(description="number")
    def number(self, message: Message) -> SafeString:
        return phone(message.phone)

    @admin.display(description="status")
    def state(self, message: Message) -> SafeString:
        return render_to_string("components/pill.html", status_pill(message.status))

    @admin.display(description="through")
    def way(self, message: Message) -> str:
        return message.through

    @admin.display(description="SID")
    def sid(self, message: Message) -> str:
        return message.shown_sid

    @admin.display(description="error code")
    def error(self, message: Message) -> str:
        return str(message.error_code or "")

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
    list_display = ("message", "state", "source", "error", "at")
    list_filter = ("status", "source", "at")
    search_fields = ("message__provider_sid__exact",)
    search_help_text = "SID of the message"
    list_select_related = ("message",)
    fields: ClassVar[tuple[str, ...]] = ("message", "state", "source", "error", "note", "at")

    @admin.display(description="status")
    def state(self, event: MessageEvent) -> SafeString:
        return render_to_string("components/pill.html", status_pill(event.status))

    @admin.display(description="error code")
    def error(self, event: MessageEvent) -> str:
        return str(event.error_code or "")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(BigRecordAdmin):
    view_capability = Capability.MANAGE_KEYS
    list_display = ("created_at", "message")
    list_filter = ("created_at",)
    search_fields = ("message__provider_sid__exact",)
    search_help_text = "SID of the message"
    list_select_related = ("message",)
    fields: ClassVar[tuple[str, ...]] = ("message", "created_at")


@admin.register(WorkerPulse)
class WorkerPulseAdmin(OperatorAdmin):
    list_display = ("name", "host", "process", "seen_at")
    search_fields = ("name", "host")
    fields: ClassVar[tuple[str, ...]] = ("name", "host", "process", "seen_at")
    readonly_fields = fields

    @admin.display(description="process", ordering="pid")
    def process(self, pulse: WorkerPulse) -> str:
        return str(pulse.pid)


@admin.register(SendingPolicy)
class SendingPolicyAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_ORGANIZATION
    search_fields = ("blocked_regions",)
    search_help_text = "Country code"
    list_display = ("__str__", "daily_cap", "is_quiet", "quiet_from", "quiet_until")
    fields: ClassVar[tuple[str, ...]] = ("daily_cap", "is_quiet", "quiet_from", "quiet_until", "blocked_regions")


@admin.register(DailyUse)
class DailyUseAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_ORGANIZATION
    list_display = ("day", "used")
    search_fields = ("day",)
    search_help_text = "Day, as 2026-05-01"
    list_filter = ("day",)
    fields: ClassVar[tuple[str, ...]] = ("day", "used")


@admin.register(Pace)
class PaceAdmin(RecordAdmin):
    organization_path = "connection__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    search_fields = ("sender",)
    search_help_text = "Sender"
    list_display = ("sender", "connection", "mps", "slowed_to", "slowed_code", "slowed_at")
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = (
        "connection", "sender", "mps", "next_at", "slowed_to", "slowed_from", "slowed_code", "slowed_at",
    )  # fmt: skip
