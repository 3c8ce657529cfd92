"""The base of every tenant model's admin: rows, choices, autocomplete and delete previews of one organization only."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib.admin import site
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NestedObjects
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from . import audit
from .models import AuditEntry
from .roles import Capability
from .search_memory import recall, remember

_SEARCH = "search"


class TenantChangeList(ChangeList):
    """A list whose search stands in the session; its address carries only a key, and so do its pages' links."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.query = recall(request, key=request.GET.get(_SEARCH, "")).get("q", "")
        return super().get_queryset(request, exclude_parameters)

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if name != _SEARCH}


class TenantAdmin(ModelAdmin):
    """Admin of a model that belongs to an organization, directly or by `organization_path`.

    `change_capability` names what a role needs to add and change; None makes the model read-only for everybody, as
    rows written by the engine are. Outside an organization (`/admin/`) the model does not exist.
    """

    organization_path: ClassVar[str] = "organization"
    view_capability: ClassVar[Capability] = Capability.VIEW
    change_capability: ClassVar[Capability | None] = None
    delete_capability: ClassVar[Capability | None] = None
    may_add: ClassVar[bool] = True
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        organization = getattr(request, "organization", None)
        if organization is None:
            return super().get_queryset(request).none()
        return super().get_queryset(request).filter(**{self.organization_path: organization})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TenantChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List rows; a search arrives by POST and is kept in the session."""
        if not self.has_view_permission(request):
            raise Http404("There is no such list.")
        if request.method == "POST" and "q" in request.POST:
            key = remember(request, wanted={"q": request.POST["q"].replace("\x00", "")})
            return redirect(f"{request.path}?{_SEARCH}={key}" if key else request.path)
        return super().changelist_view(request, extra_context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the filters that the list offers and nothing else: a lookup in the address is a question, too."""
        if lookup.split("__")[0] not in {name for name in self.get_list_filter(request) if isinstance(name, str)}:
            raise IncorrectLookupParameters
        return "__" not in lookup or lookup.split("__", 1)[1] in {"exact", "isnull", "gte", "lt"}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what the audit log says of the row; Django's own history is not kept."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404("There is no such record.")
        if not self._may(request, Capability.VIEW_AUDIT):
            raise PermissionDenied
        entries = AuditEntry.objects.filter(
            organization=request.organization,  # type: ignore[attr-defined]
            object_id=str(row.pk),
        ).order_by("-id")[:100]
        context = {**self.admin_site.each_context(request), "title": f"History: {row}", "entries": entries}
        context["organization"] = request.organization  # type: ignore[attr-defined]
        return render(request, "admin/audit_history.html", context)

    def _may(self, request: HttpRequest, capability: Capability | None) -> bool:
        member = getattr(request, "member", None)
        return member is not None and capability is not None and member.can(capability)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.view_capability)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.view_capability)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self._may(request, self.change_capability)

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
        parts = message if isinstance(message, list) else []
        fields = [name for part in parts for name in part.get("changed", {}).get("fields", [])]
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
        counts = {model._meta.verbose_name_plural: len(rows) for model, rows in _rows_by_model(collector)}
        to_delete = [str(obj) for obj in objs]
        protected = [str(obj) for obj in collector.protected]
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return to_delete, counts, missing, protected


def _rows_by_model(collector: NestedObjects) -> list[tuple[type[models.Model], Any]]:
    return [(model, rows) for model, rows in collector.model_objs.items() if not isinstance(model, str)]


def scoped(queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Return the rows of the request's organization; none of a model that has no way to an organization."""
    organization = getattr(request, "organization", None)
    path = organization_path(queryset.model)
    if organization is None or path is None:
        return queryset.none()
    return queryset.filter(**{path: organization})


def organization_path(model: type[models.Model]) -> str | None:
    """Return the lookup from a model to its organization, as its admin says it; None where there is none."""
    registered = site._registry.get(model)
    if isinstance(registered, TenantAdmin):
        return registered.organization_path
    names = {field.name for field in model._meta.get_fields()}
    return "organization" if "organization" in names else None


class RecordAdmin(TenantAdmin):
    """Admin of rows that are only looked at: written by the engine, or changed by journeys on pages of their own."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields


class BigRecordAdmin(RecordAdmin):
    """The same for tables of millions of rows: newest first, and never counted."""

    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-pk",)


class OperatorAdmin(ModelAdmin):
    """Admin of what belongs to the installation: at `/admin/`, for operators; no organization has it."""

    list_per_page = 50
    actions = None

    def _is_operator(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return getattr(request, "organization", None) is None and user.is_authenticated and user.is_operator

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List rows for operators; for everybody else there is no such list."""
        if not self._is_operator(request):
            raise Http404("There is no such list.")
        if request.method == "POST" and "q" in request.POST:
            return redirect(f"{request.path}?{urlencode({'q': request.POST['q']})}")
        return super().changelist_view(request, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404("There is no such page.")
