"""Twilio's prices among all records."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import RecordAdmin

from .models import CountryPrice, PriceSearch


@admin.register(CountryPrice)
class CountryPriceAdmin(RecordAdmin):
    organization_path = "connection__organization"
    list_display = ("region", "connection", "unit", "fetched_at", "failed_at")
    search_fields = ("region",)
    search_help_text = "Country, in two letters"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = ("region", "connection", "by_type", "unit", "fetched_at", "failed_at")


@admin.register(PriceSearch)
class PriceSearchAdmin(RecordAdmin):
    organization_path = "connection__organization"
    view_capability = Capability.MANAGE_CONNECTIONS
    list_display = ("connection", "number", "through", "failures", "held_until")
    search_fields = ("connection__name",)
    search_help_text = "Name of the connection"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = (
        "connection", "number", "through", "window_from", "window_to", "failures", "held_until",
    )  # fmt: skip
