"""Opt-outs and consent among all records: written on pages of their own, here only looked at."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin
from integrations.phones import search_forms
from messaging.templatetags.hg import phone

from .models import ConsentPolicy, ConsentRecord, ConsentState, OptOut, UnsubscribeLink


@admin.register(OptOut)
class OptOutAdmin(RecordAdmin):
    list_display = ("number", "scope", "source", "started_at", "ended_at")
    list_filter = ("scope", "source", "started_at")
    search_fields = ("phone",)
    search_help_text = "Number in any writing"
    fields: ClassVar[tuple[str, ...]] = (
        "number", "channel", "scope", "sender", "source", "keyword", "twilio_scope", "started_at", "ended_at",
        "ended_by",
    )  # fmt: skip

    @admin.display(description="number", ordering="phone")
    def number(self, opt_out: OptOut) -> SafeString:
        return phone(opt_out.phone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OptOut], search_term: str
    ) -> tuple[QuerySet[OptOut], bool]:
        return by_number(request, queryset, search_term), False


class ByNumberAdmin(BigRecordAdmin):
    """Rows of numbers, of which there are as many as the organization has people."""

    search_fields = ("phone",)
    search_help_text = "The whole number in any writing"

    @admin.display(description="number")
    def number(self, row: Any) -> SafeString | str:
        return phone(row.phone) if row.phone.startswith("+") else "erased"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return by_number(request, queryset, search_term, only_whole=True), False


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ByNumberAdmin):
    list_display = ("number", "purpose", "action", "source", "at")
    list_filter = ("purpose", "action", "source")
    fields: ClassVar[tuple[str, ...]] = (
        "number", "channel", "purpose", "action", "source", "reason", "evidence", "actor_label", "at",
    )  # fmt: skip


@admin.register(ConsentState)
class ConsentStateAdmin(ByNumberAdmin):
    list_display = ("number", "purpose", "state", "changed_at")
    list_filter = ("purpose", "state")
    fields: ClassVar[tuple[str, ...]] = ("number", "channel", "purpose", "state", "pending_until", "changed_at")


@admin.register(UnsubscribeLink)
class UnsubscribeLinkAdmin(ByNumberAdmin):
    """The token itself is not shown: whoever has it can unsubscribe the person."""

    list_display = ("number", "sender", "created_at")
    fields: ClassVar[tuple[str, ...]] = ("number", "channel", "sender", "created_at")


@admin.register(ConsentPolicy)
class ConsentPolicyAdmin(RecordAdmin):
    """Changed on the settings page of its own."""

    view_capability = Capability.MANAGE_ORGANIZATION
    search_fields = ("stop_text", "start_text", "help_text")
    search_help_text = "Words of an answer"
    list_display = ("scope", "double_opt_in", "updated_at")
    fields: ClassVar[tuple[str, ...]] = (
        "scope", "languages", "extra_stop_words", "extra_start_words", "extra_help_words", "stop_text", "start_text",
        "help_text", "sender_answers", "double_opt_in", "double_opt_in_text", "confirm_words", "confirm_within_hours",
        "append_link", "updated_at",
    )  # fmt: skip


def by_number(
    request: HttpRequest, queryset: QuerySet[Any], search_term: str, *, only_whole: bool = False
) -> QuerySet[Any]:
    """Narrow rows to a number in any writing, and where it is cheap to its end."""
    if not search_term:
        return queryset
    forms = search_forms(search_term, region=request.organization.default_region)  # type: ignore[attr-defined]
    wanted = Q(phone__in=forms.exact)
    if forms.suffix and not only_whole:
        wanted |= Q(phone__endswith=forms.suffix)
    return queryset.filter(wanted)
