"""What every page inside the shell knows: the site's frame and the organization."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .registry import shell_notices
from .selectors import organizations_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """Add the organization, the member, the frame of the shell and its notices to the context of member pages."""
    organization = getattr(request, "organization", None)
    if organization is None or request.path_info.startswith("/admin/"):
        return {"organization": organization, "member": getattr(request, "member", None)}
    return {
        "is_own_page": True,
        "organization": organization,
        "member": request.member,  # type: ignore[attr-defined]
        "my_organizations": SimpleLazyObject(lambda: list(organizations_of(request.user))),  # type: ignore[arg-type]
        "shell_notices": SimpleLazyObject(lambda: shell_notices(organization)),
        **admin.site.each_context(request),
    }
