"""Which organization a request is about: the `/o/{slug}` in front of a path, mounted as a script prefix.

Because the prefix becomes the script name, every `reverse()` and `{% url %}` of the request, the admin's too,
stays inside that organization; two tabs can show two organizations and neither can act on the other's behalf.
"""

import re
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix, set_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme

from .selectors import find_member

_MOUNT = re.compile(r"^/o/(?P<slug>[a-z0-9][a-z0-9-]*)(?P<rest>/.*)$")
# Addresses that belong to no organization's pages: inside one they do not exist.
_NOT_INSIDE = re.compile(r"^/([ofpu]|accounts|api|hooks|health|metrics|operator|organizations|invitations|static)(/|$)")
LAST_ORGANIZATION = "last_organization"


class OrganizationMiddleware:
    """Set `request.organization` and `request.member`, both None outside of `/o/{slug}/…`.

    An organization one does not belong to answers like one that does not exist: 404 for members of others, the
    sign-in page for everybody who has not signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.organization = request.member = None  # type: ignore[attr-defined]
        mount = _MOUNT.match(request.path_info)
        if mount is None:
            return self.get_response(request)
        if not request.user.is_authenticated:
            return ask_to_sign_in(request)
        member = find_member(request.user, slug=mount["slug"])
        if member is None or _NOT_INSIDE.match(mount["rest"]):
            raise Http404("There is no such page.")
        request.organization, request.member = member.organization, member  # type: ignore[attr-defined]
        if member.organization.is_suspended:
            return render(request, "integrations/organizations/suspended.html", status=403)
        if request.session.get(LAST_ORGANIZATION) != mount["slug"]:
            request.session[LAST_ORGANIZATION] = mount["slug"]
        outside = get_script_prefix()
        request.path_info = mount["rest"]
        set_script_prefix(f"{outside}o/{mount['slug']}/")
        try:
            return self.get_response(request)
        finally:
            set_script_prefix(outside)


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page and back; a part of a page that asks for news has the whole page led there."""
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path(), login_url="/accounts/login/")
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
    back = page if page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None) else "/"
    return HttpResponse(status=204, headers={"HX-Redirect": f"/accounts/login/?{urlencode({'next': back})}"})
