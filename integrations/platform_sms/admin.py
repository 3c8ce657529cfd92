"""Platform SMS and its credits, among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, OperatorAdmin, RecordAdmin

from .models import CreditAccount, CreditEntry, PlatformDestination, PlatformPolicy


@admin.register(CreditAccount)
class CreditAccountAdmin(BigRecordAdmin):
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("organization", "balance")
    search_fields = ("organization__name",)
    fields: ClassVar[tuple[str, ...]] = ("organization", "balance")


@admin.register(CreditEntry)
class CreditEntryAdmin(BigRecordAdmin):
    organization_path = "account__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("at", "kind", "amount", "balance_after", "note")
    list_filter = ("kind", "at")
    search_fields = ("message_id__exact",)
    search_help_text = "Id of the message"
    fields: ClassVar[tuple[str, ...]] = (
        "at", "kind", "amount", "balance_after", "message_id", "note", "actor_label",
    )  # fmt: skip


@admin.register(PlatformDestination)
class PlatformDestinationAdmin(OperatorAdmin):
    list_display = ("destination", "carrier", "price")
    list_select_related = ("carrier",)
    search_fields = ("destination",)
    fields: ClassVar[tuple[str, ...]] = ("destination", "carrier", "price")
    readonly_fields = fields


@admin.register(PlatformPolicy)
class PlatformPolicyAdmin(RecordAdmin):
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("__str__", "signature", "warn_below")
    search_fields = ("signature",)
    fields: ClassVar[tuple[str, ...]] = ("signature", "warn_below")
