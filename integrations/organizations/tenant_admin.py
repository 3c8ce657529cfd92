"""The base of every tenant model's admin: rows, choices, autocomplete and delete previews of one organization only."""

from typing import Any, ClassVar

from django.contrib.admin.utils import NestedObjects
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from . import audit
from .roles import Capability


class TenantAdmin(ModelAdmin):
    """Admin of a model that belongs to an organization, directly or by `organization_path`.

    `change_capability` names what a role needs to add and change; None makes the model read-only for everybody, as
    rows written by the engine are. Outside an organization (`/admin/`) the model does not exist.
    """

    organization_path: ClassVar[str] = "organization"
    view_capability: ClassVar[Capability] = Capability.VIEW
    change_capability: ClassVar[Capability | None] = None
    delete_capability: ClassVar[Capability | None] = None
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        organization = getattr(request, "organization", None)
        if organization is None:
            return super().get_queryset(request).none()
        return super().get_queryset(request).filter(**{self.organization_path: organization})

    def _may(self, request: HttpRequest, capability: Capability | None) -> bool:
        member = getattr(request, "member", None)
        return member is not None and capability is not None and member.can(capability)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.view_capability)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.view_capability)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.change_capability)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.change_capability)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.delete_capability)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*(super().get_exclude(request, obj) or []), "organization"]

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """Offer only related rows of the same organization, in selects and many-to-many fields."""
        queryset = super().get_field_queryset(db, db_field, request)
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.all()
        return scoped(queryset, request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change and self.organization_path == "organization":
            obj.organization = request.organization  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    # Django's own history would copy names and numbers into a second place: the audit log is the only one.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._audit(request, obj, "added", {})

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        fields = [name for part in message if isinstance(message, list) for name in part.get("changed", {}).get("fields", [])]
        return self._audit(request, obj, "changed", {"fields": ", ".join(fields)})

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [self._audit(request, obj, "deleted", {}) for obj in queryset]

    def _audit(self, request: HttpRequest, obj: Any, verb: str, changes: dict[str, str]) -> Any:
        action = f"{obj._meta.model_name}.{verb}"
        return audit.record(
            request.organization,  # type: ignore[attr-defined]
            actor=request.user,  # type: ignore[arg-type]
            action=action,
            target=obj,
            changes=changes,
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what a deletion takes along without listing rows the member may not see."""
        collector = NestedObjects(using="default")
        collector.collect(objs)
        counts = {model._meta.verbose_name_plural: len(rows) for model, rows in collector.model_objs.items()}
        to_delete = [str(obj) for obj in objs]
        protected = [str(obj) for obj in collector.protected]
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return to_delete, counts, missing, protected


def scoped(queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Return the rows of the request's organization; none of a model that has no way to an organization."""
    organization = getattr(request, "organization", None)
    path = organization_path(queryset.model)
    if organization is None or path is None:
        return queryset.none()
    return queryset.filter(**{path: organization})


def organization_path(model: type[models.Model]) -> str | None:
    """Return the lookup from a model to its organization, as its admin says it; None where there is none."""
    from django.contrib import admin

    registered = admin.site._registry.get(model)
    if isinstance(registered, TenantAdmin):
        return registered.organization_path
    names = {field.name for field in model._meta.get_fields()}
    return "organization" if "organization" in names else None
