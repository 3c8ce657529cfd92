"""Twilio's prices among all records."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import RecordAdmin

from .models import CountryPrice


@admin.register(CountryPrice)
class CountryPriceAdmin(RecordAdmin):
    organization_path = "connection__organization"
    list_display = ("region", "connection", "unit", "fetched_at", "failed_at")
    search_fields = ("region",)
    search_help_text = "Country, in two letters"
    list_select_related = ("connection",)
    fields: ClassVar[tuple[str, ...]] = ("region", "connection", "by_type", "unit", "fetched_at", "failed_at")
