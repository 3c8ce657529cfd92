"""What limits verifications, among all records: to be looked at only."""

from typing import ClassVar

from django.contrib import admin

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, OperatorAdmin, RecordAdmin

from .limit_models import LimitCount, PausedPrefix, SpentProof, VerificationPolicy


@admin.register(VerificationPolicy)
class VerificationPolicyAdmin(RecordAdmin):
    list_display = ("number", "ip", "network", "asker", "country", "day", "prefix", "regions")
    search_fields = ("day",)
    fields: ClassVar[tuple[str, ...]] = (
        "number", "number_day", "resend", "ip", "network", "asker", "country", "day", "prefix", "pause", "address",
        "addresses", "regions",
    )  # fmt: skip


@admin.register(LimitCount)
class LimitCountAdmin(BigRecordAdmin):
    view_capability = Capability.MANAGE_ORGANIZATION
    list_display = ("scope", "at", "asked", "sent", "approved", "held_at")
    list_filter = ("scope",)
    search_fields = ("scope__exact",)
    search_help_text = "Scope"
    fields: ClassVar[tuple[str, ...]] = (
        "scope", "at", "asked", "sent", "approved", "fresh", "paced", "usual_sent", "usual_approved", "held_at",
    )  # fmt: skip


@admin.register(PausedPrefix)
class PausedPrefixAdmin(RecordAdmin):
    list_display = ("prefix", "region", "reason", "sent", "approved", "paused_at", "until", "released_at")
    list_filter = ("reason", "paused_at")
    search_fields = ("prefix",)
    fields: ClassVar[tuple[str, ...]] = (
        "prefix", "region", "reason", "sent", "approved", "paused_at", "until", "released_at", "released_by",
    )  # fmt: skip


@admin.register(SpentProof)
class SpentProofAdmin(OperatorAdmin):
    list_display = ("proof", "expires_at")
    search_fields = ("proof",)
    fields: ClassVar[tuple[str, ...]] = ("proof", "expires_at")
