"""Credits, among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin

from .models import CreditAccount, CreditEntry


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
