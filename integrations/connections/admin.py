"""Connections among all records: to be looked at. Changing them is a journey with a check, on pages of its own."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin

from .models import Connection, RefusedWebhook, ReplyAddress


@admin.register(Connection)
class ConnectionAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("name", "mode", "status", "is_default", "account_sid", "created_at")
    list_filter = ("mode", "status")
    search_fields = ("name", "account_sid", "account_name")
    # Named one by one: a secret added to the model one day must not appear here by itself.
    fields: ClassVar[tuple[str, ...]] = (
        "name",
        "mode",
        "auth",
        "account_sid",
        "account_name",
        "account_type",
        "api_key_sid",
        "messaging_service_sid",
        "verify_service_sid",
        "sender",
        "is_default",
        "status",
        "broken_because",
        "broken_at",
        "mps",
        "checked_at",
        "created_at",
        "disconnected_at",
    )

    @admin.display(description="broken by error")
    def broken_because(self, connection: Connection) -> str:
        return str(connection.broken_code or "")


@admin.register(RefusedWebhook)
class RefusedWebhookAdmin(BigRecordAdmin):
    organization_path = "connection__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("at", "connection", "reason", "detail", "ip")
    list_filter = ("reason", "at")
    search_fields = ("path", "detail")
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = ("connection", "at", "reason", "detail", "path", "ip")


@admin.register(ReplyAddress)
class ReplyAddressAdmin(RecordAdmin):
    organization_path = "connection__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("label", "kind", "connection", "set_at", "put_back_at")
    search_fields = ("label",)
    list_select_related = ("connection",)
    # The former address is left out: it may carry somebody's secret.
    fields: ClassVar[tuple[str, ...]] = ("connection", "kind", "sid", "label", "set_at", "put_back_at")
