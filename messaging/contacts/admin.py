"""Contacts and tags among all records."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import TenantAdmin
from integrations.phones import pretty
from messaging.consent.opt_outs import STOP_TAG

from .address_book import delete_contact
from .models import Contact, Tag
from .selectors import find_contacts


@admin.register(Tag)
class TagAdmin(TenantAdmin):
    """Tags may be renamed and deleted, but for the one that tells of an opt-out."""

    change_capability = Capability.EDIT_CONTACTS
    delete_capability = Capability.EDIT_CONTACTS
    list_display = ("name",)
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name != STOP_TAG)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.name != STOP_TAG)


@admin.register(Contact)
class ContactAdmin(TenantAdmin):
    """Contacts; number and tags are changed on the contact's own page, where opt-outs are looked at."""

    change_capability = Capability.EDIT_CONTACTS
    delete_capability = Capability.EDIT_CONTACTS
    may_add = False
    list_display = ("name", "number", "region", "email", "created_at")
    search_fields = ("name",)
    search_help_text = "Name, e-mail or number in any writing"
    fields: ClassVar[tuple[str, ...]] = ("name", "number", "region", "email", "language", "notes", "created_at")
    readonly_fields = ("number", "region", "created_at")

    @admin.display(description="number", ordering="phone")
    def number(self, contact: Contact) -> str:
        return pretty(contact.phone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        if not search_term:
            return queryset, False
        found = find_contacts(request.organization, query=search_term)  # type: ignore[attr-defined]
        return queryset.filter(pk__in=found.order_by().values("pk")), False

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        delete_contact(obj, actor=request.user)  # type: ignore[arg-type]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing: the deletion itself writes to the audit log."""
        return []
