"""The admin as members see it: inside their organization only."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite


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

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the one sign-in page, which asks for the second factor too."""
        target = request.GET.get("next") or request.get_full_path()
        if request.user.is_authenticated:
            return HttpResponse(status=404)
        return redirect_to_login(target, login_url="/accounts/login/")

    def get_urls(self) -> list[Any]:
        """Return the site's addresses without those that other pages replace or that look across organizations."""
        left_out = {"password_change", "password_change_done", "view_on_site"}
        return [route for route in super().get_urls() if getattr(route, "name", None) not in left_out]
