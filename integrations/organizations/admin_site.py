"""The admin as members see it: inside their organization only."""

import functools
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite

from integrations.templatetags.hg_base import zone_of

_SIGN_IN = "/accounts/login/"
_SIGN_OUT = "/accounts/logout/"


class PlacedAutocomplete(AutocompleteJsonView):
    """Django's answers to what is typed into a relation, for relations of models that exist at this place."""

    def process_request(self, request: HttpRequest) -> Any:
        found: Any = super().process_request(request)
        records, relation = found[1], found[2]
        if not records.exists_for(request):
            raise Http404("There is no such list.")
        if not relation.concrete:  # the far end of a relation is nothing to fill in, and Django stumbles over it
            raise PermissionDenied
        return found


class MemberAdminSite(UnfoldAdminSite):
    """Unfold's site, entered by membership: `/o/{slug}/admin/` for members, `/admin/` for operators.

    Under `/admin/`, where there is no organization, tenant models do not exist; see `tenant_admin.TenantAdmin`.
    """

    site_title = "Heliograph"
    site_header = "Heliograph"
    index_title = "All records"
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_active):
            return False
        return getattr(request, "member", None) is not None or user.is_operator

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Stand at the door of every page of the site, those of each model too: view is a method of their admin."""
        guarded = super().admin_view(view, cacheable)
        records = getattr(view, "__self__", None)

        @functools.wraps(guarded)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), login_url=_SIGN_IN)
            is_here = self.has_permission(request) and (records is self or _exists(records, request))
            if not is_here or _holds_nul(request):
                raise Http404("There is no such page.")
            with timezone.override(zone_of(getattr(request, "organization", None))):
                response = guarded(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response.render()
            return response

        return entered

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the frame of every page; made once for a request, since the parts of a page ask for it too."""
        frame: dict[str, Any] | None = getattr(request, "_frame", None)
        if frame is None:
            frame = super().each_context(request)
            request._frame = frame  # type: ignore[attr-defined]
        return dict(frame)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return the list of models once somebody looks at it: most pages do not, and it takes as long as the rest."""
        return SimpleLazyObject(functools.partial(super().get_app_list, request, app_label))

    def get_sidebar_list(self, request: HttpRequest) -> Any:
        """Return the sidebar once it is shown: fragments of a page have none."""
        return SimpleLazyObject(functools.partial(super().get_sidebar_list, request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the one sign-in page, which asks for the second factor too."""
        if request.user.is_authenticated:
            raise Http404("There is no such page.")
        return redirect_to_login(request.GET.get("next") or request.get_full_path(), login_url=_SIGN_IN)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign out as the page of sign-out does; it also asks those who came by a link."""
        if request.method != "POST":
            return redirect(_SIGN_OUT)
        get_adapter(request).logout(request)
        return redirect(_SIGN_IN)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Refuse the theme's search: it keeps its finds by person, not by organization, and our pages do not use it."""
        raise Http404("There is no such page.")

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return PlacedAutocomplete.as_view(admin_site=self)(request)

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Return nothing: the audit log is the only history, see `tenant_admin`."""
        return LogEntry.objects.none()

    def get_urls(self) -> list[Any]:
        """Return the site's addresses without those that other pages replace or that look across organizations."""
        left_out = {"password_change", "password_change_done", "view_on_site"}
        return [route for route in super().get_urls() if getattr(route, "name", None) not in left_out]


def _exists(records: Any, request: HttpRequest) -> bool:
    """Tell whether the model of this admin exists at the place of the request; pages without a model do anywhere."""
    return not hasattr(records, "exists_for") or records.exists_for(request)


def _holds_nul(request: HttpRequest) -> bool:
    """Tell whether the address holds the one sign that PostgreSQL's texts cannot: nothing can be found by it."""
    return "\x00" in request.path_info or any("\x00" in value for row in request.GET.lists() for value in row[1])
