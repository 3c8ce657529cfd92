"""Opt-outs among all records: begun and ended on pages of their own."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.organizations.tenant_admin import RecordAdmin
from integrations.phones import search_forms
from messaging.templatetags.hg import phone

from .models import OptOut


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
        if not search_term:
            return queryset, False
        forms = search_forms(search_term, region=request.organization.default_region)  # type: ignore[attr-defined]
        wanted = Q(phone__in=forms.exact)
        if forms.suffix:
            wanted |= Q(phone__endswith=forms.suffix)
        return queryset.filter(wanted), False
