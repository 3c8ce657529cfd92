"""Contacts and tags among all records."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.places import languages
from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin, TenantAdmin
from integrations.phones import NumberKind, Phone
from messaging.consent.opt_outs import STOP_TAG
from messaging.templatetags.hg import phone

from .address_book import Details, delete_contact, plain_line, update_contact
from .models import AttributeDefinition, Contact, ErasureSecret, SavedFilter, Tag, TaggedInJob
from .selectors import find_contacts


class TagForm(forms.ModelForm):
    """A tag's name: one in any case, and not the one that tells of an opt-out."""

    organization: ClassVar[Organization]

    def clean_name(self) -> str:
        name = plain_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Write the tag first.", code="empty")
        if name.casefold() == STOP_TAG.casefold():
            raise forms.ValidationError(f"{STOP_TAG} follows the opt-outs: opt the contact out instead.")
        namesakes = Tag.objects.filter(organization=self.organization, name__iexact=name).exclude(pk=self.instance.pk)
        if namesakes.exists():
            raise forms.ValidationError("There is such a tag already.", code="duplicate")
        return name


@admin.register(Tag)
class TagAdmin(TenantAdmin):
    """Tags may be renamed and deleted, but for the one that tells of an opt-out."""

    form = TagForm
    change_capability = Capability.EDIT_CONTACTS
    delete_capability = Capability.EDIT_CONTACTS
    list_display = ("name",)
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name != STOP_TAG)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.name != STOP_TAG)


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(RecordAdmin):
    """What is kept about contacts; changed on its own page, where it is said what a change means."""

    list_display = ("label", "key", "kind", "archived_at")
    list_filter = ("kind",)
    search_fields = ("label", "key")
    fields: ClassVar[tuple[str, ...]] = ("label", "key", "kind", "choices", "position", "archived_at", "created_at")


@admin.register(SavedFilter)
class SavedFilterAdmin(RecordAdmin):
    """Saved filters; changed where their contacts are seen."""

    list_display = ("name", "created_at", "updated_at")
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("name", "created_at", "updated_at")


@admin.register(ErasureSecret)
class ErasureSecretAdmin(RecordAdmin):
    """That there is a secret of erased numbers, and since when; the secret itself is shown nowhere."""

    list_display = ("created_at",)
    search_fields = ("created_at",)
    fields: ClassVar[tuple[str, ...]] = ("created_at",)


@admin.register(TaggedInJob)
class TaggedInJobAdmin(BigRecordAdmin):
    """Who got a tag together with many others, as long as that can be undone."""

    organization_path = "contact__organization"
    list_display = ("contact", "at")
    search_fields = ("contact__name",)
    fields: ClassVar[tuple[str, ...]] = ("contact", "job_id", "at")


class ContactForm(forms.ModelForm):
    """What of a contact may be changed here."""

    language = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "language" in self.fields:  # who may only look has no fields
            self.fields["language"].choices = [("", "Not known"), *languages()]  # type: ignore[attr-defined]


@admin.register(Contact)
class ContactAdmin(TenantAdmin):
    """Contacts; number and tags are changed on the contact's own page, where opt-outs are looked at."""

    form = ContactForm
    change_capability = Capability.EDIT_CONTACTS
    delete_capability = Capability.EDIT_CONTACTS
    may_add = False
    list_display = ("name_or_number", "number", "email", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name",)
    search_help_text = "Name, e-mail or number"
    ordering = ("-pk",)
    fields: ClassVar[tuple[str, ...]] = ("name", "number", "region", "email", "language", "notes", "created_at")
    readonly_fields = ("number", "region", "created_at")

    @admin.display(description="name", ordering="name")
    def name_or_number(self, contact: Contact) -> str:
        return str(contact)

    @admin.display(description="number", ordering="phone")
    def number(self, contact: Contact) -> SafeString:
        return phone(contact.phone)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        if not search_term:
            return queryset, False
        found = find_contacts(request.organization, query=search_term)  # type: ignore[attr-defined]
        return queryset.filter(pk__in=found.order_by().values("pk")), False

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        """Change the contact as its own page does; the number stays as it is stored, whatever rules came since."""
        stored = self.get_queryset(request).get(pk=obj.pk)
        number = Phone(e164=stored.phone, region=stored.region, country_code=0, kind=NumberKind.UNKNOWN)
        details = Details(phone=number, name=obj.name, email=obj.email, language=obj.language, notes=obj.notes)
        update_contact(stored, details=details, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        delete_contact(obj, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]

    def log_change(self, request: HttpRequest, obj: Contact, message: Any) -> Any:
        """Nothing: the change itself writes to the audit log, and so does the deletion."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return []
