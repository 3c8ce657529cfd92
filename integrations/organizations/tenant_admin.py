"""The bases of all admins: rows, choices, autocomplete and delete previews of one organization only.

Which of the two a model has says where it exists: `TenantAdmin` inside an organization, `OperatorAdmin` outside.
"""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import site
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NestedObjects
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from . import audit
from .audit_sentences import line_of
from .models import AuditEntry
from .network import client_ip
from .roles import Capability
from .search_memory import recall, remember

_SEARCH = "search"


class PlacedChangeList(ChangeList):
    """A list whose search stands in the session; its address carries only a key, and so do its pages' links."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.query = recall(request, key=request.GET.get(_SEARCH, "")).get("q", "")
        return super().get_queryset(request, exclude_parameters)

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if name != _SEARCH}


class PlacedAdmin(ModelAdmin):
    """What both bases have in common: nothing in an address asks the database more than the page offers."""

    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    actions = None

    def exists_for(self, request: HttpRequest) -> bool:
        """Tell whether the model exists where the request is; where it does not, every page of it is a 404."""
        raise NotImplementedError

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlacedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List rows; a search arrives by POST and is kept in the session."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "q" in request.POST:
            key = remember(request, wanted={"q": request.POST["q"].replace("\x00", "")})
            return redirect(f"{request.path}?{_SEARCH}={key}" if key else request.path)
        if ERROR_FLAG in request.GET and len(request.GET) > 1:
            return redirect(request.path)
        return super().changelist_view(request, extra_context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the filters that the list offers and nothing else: a lookup in the address is a question, too."""
        field, _, kind = lookup.partition("__")
        if field not in self.get_list_filter(request) or kind not in {"", "exact", "isnull", "gte", "lt"}:
            raise IncorrectLookupParameters
        return True

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == self.opts.pk.name

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; another organization's is as absent as one that never was: 404."""
        row = super().get_object(request, object_id, from_field)
        if row is None:
            raise Http404("There is no such record.")
        return row

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show or save one row; what somebody else saved in the same moment is said, not a fault."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            messages.error(request, "Somebody saved the same at this moment. Nothing was saved here: look again.")
            return redirect(request.path)


class TenantAdmin(PlacedAdmin):
    """Admin of a model that belongs to an organization, directly or by `organization_path`.

    `change_capability` names what a role needs to add and change; None makes the model read-only for everybody, as
    rows written by the engine are. Outside an organization (`/admin/`) the model does not exist.
    """

    organization_path: ClassVar[str] = "organization"
    view_capability: ClassVar[Capability] = Capability.VIEW
    change_capability: ClassVar[Capability | None] = None
    delete_capability: ClassVar[Capability | None] = None
    may_add: ClassVar[bool] = True

    def exists_for(self, request: HttpRequest) -> bool:
        return getattr(request, "organization", None) is not None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        organization = getattr(request, "organization", None)
        if organization is None:
            return super().get_queryset(request).none()
        return super().get_queryset(request).filter(**{self.organization_path: organization})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what the audit log says of the row; Django's own history is not kept."""
        row = self.get_object(request, object_id)
        if not (self.has_view_permission(request) and self._may(request, Capability.VIEW_AUDIT)):
            raise PermissionDenied
        entries = AuditEntry.objects.filter(
            organization=request.organization,  # type: ignore[attr-defined]
            object_kind=str(self.opts.verbose_name)[:60],
            object_id=str(row.pk),
        ).order_by("-id")[:100]
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {row}",
            "lines": [line_of(entry) for entry in entries],
            "organization": request.organization,  # type: ignore[attr-defined]
        }
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

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form, made anew for each request; it knows the organization, for rules that hold within one."""
        form = super().get_form(request, obj, change, **kwargs)
        form.organization = request.organization  # type: ignore[attr-defined]
        return form

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
        return audit.record(
            request.organization,  # type: ignore[attr-defined]
            actor=request.user,  # type: ignore[arg-type]
            action=f"{obj._meta.model_name}.{verb}",
            target=obj,
            changes=changes,
            ip=client_ip(request),
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what a deletion takes along without listing rows the member may not see."""
        collector = NestedObjects(using="default")
        collector.collect(objs)
        taken: Any = collector.model_objs
        counts = {model._meta.verbose_name_plural: len(rows) for model, rows in taken.items()}
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
    """The same for tables of millions of rows: newest first, never sorted otherwise, and never counted."""

    paginator = InfinitePaginator
    ordering = ("-pk",)
    sortable_by = ()


class OperatorAdmin(PlacedAdmin):
    """Admin of what belongs to the installation: at `/admin/`, for operators; no organization has it."""

    def exists_for(self, request: HttpRequest) -> bool:
        return getattr(request, "organization", None) is None

    def _is_operator(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return self.exists_for(request) and user.is_authenticated and user.is_operator

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

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404("There is no such page.")
