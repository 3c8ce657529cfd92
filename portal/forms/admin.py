"""Public forms and what was sent, among all records: built and read on pages of their own; never a file's bytes."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.masking import mask_phone
from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import BigRecordAdmin, RecordAdmin

from .models import (
    ExportPiece,
    FormDraft,
    FormPicture,
    FormStep,
    FormVersion,
    PublicForm,
    Submission,
    SubmissionExport,
    SubmissionFile,
)


@admin.register(PublicForm)
class PublicFormAdmin(RecordAdmin):
    list_display = ("title", "state", "created_at", "updated_at")
    list_filter = ("state",)
    search_fields = ("title",)
    fields: ClassVar[tuple[str, ...]] = (
        "title", "description", "state", "languages", "color", "thank_you", "redirect_url", "opens_at", "closes_at",
        "limit_total", "limit_per_number", "closed_message", "embed_origins", "confirmation_template",
        "updates_contact", "created_at", "updated_at",
    )  # fmt: skip


@admin.register(FormVersion)
class FormVersionAdmin(RecordAdmin):
    organization_path = "form__organization"
    list_display = ("form", "number", "created_at")
    search_fields = ("form__title",)
    list_select_related = ("form",)
    fields: ClassVar[tuple[str, ...]] = ("form", "number", "definition", "created_at")


@admin.register(FormStep)
class FormStepAdmin(RecordAdmin):
    organization_path = "form__organization"
    list_display = ("form", "number", "what", "at")
    search_fields = ("form__title",)
    list_select_related = ("form",)
    fields: ClassVar[tuple[str, ...]] = ("form", "number", "what", "definition", "at")


class WithoutContent(BigRecordAdmin):
    """Rows that carry bytes: these stay in the database."""

    bytes_field: ClassVar[str] = "content"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(self.bytes_field)


@admin.register(FormPicture)
class FormPictureAdmin(WithoutContent):
    organization_path = "form__organization"
    list_display = ("form", "place", "content_type", "size")
    search_fields = ("form__title",)
    list_select_related = ("form",)
    fields: ClassVar[tuple[str, ...]] = ("form", "place", "content_type", "size", "created_at")


@admin.register(Submission)
class SubmissionAdmin(BigRecordAdmin):
    organization_path = "form__organization"
    view_capability = Capability.VIEW_SUBMISSIONS
    list_display = ("created_at", "form", "number", "verified_at")
    search_fields = ("form__title",)
    list_select_related = ("form",)
    fields: ClassVar[tuple[str, ...]] = (
        "form", "version", "number", "verified_at", "contact", "language", "network", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("version__form").defer("answers", "search_text")

    @admin.display(description="number")
    def number(self, submission: Submission) -> str:
        return mask_phone(submission.phone)


@admin.register(FormDraft)
class FormDraftAdmin(BigRecordAdmin):
    organization_path = "form__organization"
    view_capability = Capability.VIEW_SUBMISSIONS
    list_display = ("created_at", "form", "expires_at")
    search_fields = ("form__title",)
    list_select_related = ("form",)
    fields: ClassVar[tuple[str, ...]] = ("form", "language", "network", "created_at", "expires_at")


@admin.register(SubmissionFile)
class SubmissionFileAdmin(WithoutContent):
    """Of sent submissions only: what somebody has not sent is nobody's to look at."""

    organization_path = "submission__form__organization"
    view_capability = Capability.VIEW_SUBMISSIONS
    list_display = ("name", "kind", "size", "created_at")
    search_fields = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("submission", "key", "name", "kind", "size", "created_at")


@admin.register(SubmissionExport)
class SubmissionExportAdmin(RecordAdmin):
    organization_path = "form__organization"
    view_capability = Capability.VIEW_SUBMISSIONS
    list_display = ("form", "rows", "created_by", "created_at")
    search_fields = ("form__title",)
    list_select_related = ("form", "created_by")
    fields: ClassVar[tuple[str, ...]] = ("form", "rows", "created_by", "created_at")


@admin.register(ExportPiece)
class ExportPieceAdmin(WithoutContent):
    organization_path = "export__form__organization"
    view_capability = Capability.VIEW_SUBMISSIONS
    bytes_field = "data"
    list_display = ("export", "number")
    search_fields = ("export__form__title",)
    list_select_related = ("export__form",)
    fields: ClassVar[tuple[str, ...]] = ("export", "number")
