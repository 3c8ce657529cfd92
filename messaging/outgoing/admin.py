"""That there is a signing secret, among all records; the secret itself is nowhere."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.tenant_admin import RecordAdmin

from .models import OutgoingSecret


@admin.register(OutgoingSecret)
class OutgoingSecretAdmin(RecordAdmin):
    list_display = ("made_at", "former_until")
    search_fields = ("made_at",)
    fields: ClassVar[tuple[str, ...]] = ("made_at", "former_until")
