"""What Twilio still has to remove, among all records."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin

from .models import RetentionPolicy, TwilioRemoval


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(RecordAdmin):
    list_display = ("days", "verification_days", "submission_days", "run_days", "updated_at")
    search_fields = ("days",)
    fields: ClassVar[tuple[str, ...]] = ("days", "verification_days", "submission_days", "run_days", "updated_at")


@admin.register(TwilioRemoval)
class TwilioRemovalAdmin(BigRecordAdmin):
    list_display = ("sid", "what", "attempts", "error_code", "next_try_at", "created_at")
    list_filter = ("what", "created_at")
    search_fields = ("sid__exact",)
    search_help_text = "SID"
    fields: ClassVar[tuple[str, ...]] = (
        "sid", "connection", "what", "attempts", "error_code", "next_try_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[TwilioRemoval]:
        # What platform SMS left behind is in the operator's account, of which nothing is shown.
        return super().get_queryset(request).filter(connection__organization=F("organization"))
