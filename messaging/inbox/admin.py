"""Conversations and canned replies among all records: worked with on pages of their own."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin
from integrations.phones import search_forms
from messaging.templatetags.hg import phone

from .models import CannedReply, Conversation, InboxPolicy, KeywordRule, RuleAnswer


@admin.register(Conversation)
class ConversationAdmin(BigRecordAdmin):
    list_display = ("number", "state", "unread", "assignee", "last_at")
    list_filter = ("state", "last_at")
    list_select_related = ("assignee__user",)
    search_fields = ("phone",)
    search_help_text = "Number in any writing"
    fields: ClassVar[tuple[str, ...]] = (
        "number", "channel", "contact", "connection", "sender", "state", "unread", "assignee", "last_text", "last_at",
        "last_inbound_at", "created_at", "muted_at", "flooded_at", "auto_replied_at",
    )  # fmt: skip

    @admin.display(description="number")
    def number(self, conversation: Conversation) -> SafeString:
        return phone(conversation.phone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        if not search_term:
            return queryset, False
        forms = search_forms(search_term, region=request.organization.default_region)  # type: ignore[attr-defined]
        wanted = Q(phone__in=forms.exact)
        if forms.suffix:
            wanted |= Q(phone__endswith=forms.suffix)
        return queryset.filter(wanted), False


@admin.register(CannedReply)
class CannedReplyAdmin(RecordAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name", "body")
    fields: ClassVar[tuple[str, ...]] = ("name", "body", "created_at")


@admin.register(InboxPolicy)
class InboxPolicyAdmin(RecordAdmin):
    list_display = ("__str__", "is_on", "updated_at")
    search_fields = ("text",)
    fields: ClassVar[tuple[str, ...]] = ("is_on", "text", "hours", "holidays", "updated_at")


@admin.register(KeywordRule)
class KeywordRuleAdmin(RecordAdmin):
    list_display = ("name", "match", "is_on", "position")
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = (
        "name", "match", "words", "reply", "tag", "opts_out", "pause_minutes", "is_on", "position", "created_at",
    )  # fmt: skip


@admin.register(RuleAnswer)
class RuleAnswerAdmin(BigRecordAdmin):
    organization_path = "rule__organization"
    list_display = ("rule", "number", "answered_at")
    search_fields = ("rule__name",)
    list_select_related = ("rule",)
    fields: ClassVar[tuple[str, ...]] = ("rule", "number", "answered_at")

    @admin.display(description="number")
    def number(self, answer: RuleAnswer) -> SafeString:
        return phone(answer.phone)
