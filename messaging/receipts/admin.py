"""Twilio's webhooks as they came, among all records."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.organizations.models import as_uuid
from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import Callback


@admin.register(Callback)
class CallbackAdmin(BigRecordAdmin):
    organization_path = "connection__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("received_at", "kind", "outcome", "connection", "checked_with")
    list_filter = ("kind", "outcome", "received_at")
    search_fields = ("message_id",)
    search_help_text = "Id of the message"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = (
        "received_at", "kind", "connection", "message_id", "params", "checked_with", "outcome", "attempts",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Callback], search_term: str
    ) -> tuple[QuerySet[Callback], bool]:
        if not search_term.strip():
            return queryset, False
        key = as_uuid(search_term.strip())
        return (queryset.filter(message_id=key) if key else queryset.none()), False
