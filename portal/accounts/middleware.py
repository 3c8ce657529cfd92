"""Portals on domains of their own: the pages of `/p/{slug}/` at `/`, and nothing else of the product."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

from . import domains


class OwnDomainMiddleware:
    """Lead a request for a portal's domain to that portal; every other host is looked at as strictly as ever.

    The address that the browser shows stays as it is (`request.path`); what is resolved is that of the portal.
    `request.portal_root` says where the portal begins: links and cookies go by it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        written = request._get_raw_host()  # type: ignore[attr-defined] # get_host refuses what is not in ALLOWED_HOSTS
        host, _ = split_domain_port(written)
        host = host.rstrip(".")
        if not host or domains.is_ours(host):
            return self.get_response(request)
        site = domains.site_at(host)
        if site is None:
            return self.get_response(request)
        if not site.is_seen and request.is_secure():
            domains.note_seen(site)
        # Known to be a host of ours: whoever asks from here on gets it as it is.
        request.get_host = lambda: written  # type: ignore[method-assign]
        request.portal_root = "/"  # type: ignore[attr-defined]
        if not request.path_info.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            request.path_info = f"/p/{site.slug}{request.path_info}"
        return self.get_response(request)
