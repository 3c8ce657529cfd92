"""The short way in for machines: who comes with a key or a signature needs nothing of what serves people in browsers.

Sessions, forms, sign-in, messages between pages, and the policies that browsers keep are more than half of what a
small request costs. What counts and redirects stands before this middleware and holds for everybody.
"""

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import structlog
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from prometheus_client import Counter

from integrations.organizations.network import client_ip
from integrations.quick_rows import skip_health_check

from .access_log import PathOnlyRequestMiddleware

log = structlog.get_logger(__name__)

_HOOKS, _API = "/hooks/", "/api/v1/"
_PAGE_OF_THE_API = "/api/v1/docs"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests_total = Counter(
    "heliograph_machine_requests_total", "Requests of the API and of webhooks.", ["route", "method", "status"]
)


class MachineDoor:
    """Answer the API and webhooks at once; pass everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.answer = _Views().answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith((_HOOKS, _API)) or path == _PAGE_OF_THE_API:
            return self.get_response(request)
        # Threads serve one request after the other: what the last one bound is not this one's.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            request_id=request.META.get("HTTP_X_REQUEST_ID") or str(uuid.uuid4()), ip=client_ip(request)
        )
        if path.startswith(_API):
            # A webhook's host is whatever a proxy made of it; its signature covers our own address.
            request.get_host()
        skip_health_check()
        response = self.answer(request)
        _finish(request, response)
        return response


class _Views(BaseHandler):
    """Django's own finding and calling of views, with no middleware around it."""

    _view_middleware: tuple[()] = ()
    _template_response_middleware: tuple[()] = ()
    _exception_middleware: tuple[()] = ()

    def __init__(self) -> None:
        get_response: Callable[[HttpRequest], HttpResponseBase] = self._get_response  # type: ignore[attr-defined]
        self.answer = cast(Callable[[HttpRequest], HttpResponseBase], convert_exception_to_response(get_response))


def _finish(request: HttpRequest, response: HttpResponseBase) -> None:
    if isinstance(response, HttpResponse) and not response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))
    route = request.resolver_match.route if request.resolver_match else ""
    method = request.method if request.method in _METHODS else "other"  # anybody may invent one
    requests_total.labels(route, method, response.status_code).inc()
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        say = log.error if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else log.warning
        say("request_finished", code=response.status_code, request=PathOnlyRequestMiddleware.format_request(request))
