"""The gate of the API: who asks is settled before what is asked, and whatever is refused leaves as a problem."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase

from integrations.organizations.api_keys import KeyRefused, authenticate_key
from integrations.organizations.models import ApiKey
from integrations.organizations.scopes import key_allows

from . import rates
from .bodies import receive_body
from .failures import explain_failure
from .problems import ApiProblem, as_problem, respond

View = Callable[..., HttpResponseBase]
_SCHEME = "bearer"
_LONG_BODIES = "/api/v1/broadcasts"  # ten thousand recipients are more than other bodies hold
LONG_BODY = 5 * 1_048_576


def guard(view: View, *, needs_key: bool = True) -> View:
    """Return the view behind the gate: key, suspension, rate and size are looked at in this order, then the rest."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if needs_key:
                _admit(request)
            response = as_problem(view(request, *args, **kwargs))
        except (ApiProblem, Http404, DatabaseError, SuspiciousOperation, UnreadablePostError) as failure:
            response = respond(explain_failure(failure))
        if needs_key:
            response["Cache-Control"] = "no-store"
        return response

    guarded.csrf_exempt = True  # type: ignore[attr-defined] # no cookie is looked at here
    return guarded


class BearerKey:
    """Ninja's authentication of one operation: the key that the gate let in must carry the scope."""

    openapi_security_schema = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "hg_…",
        "description": "An API key of your organization, made under API keys and shown once.",
    }

    def __init__(self, scope: str = "") -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey:
        key: ApiKey | None = getattr(request, "api_key", None)
        if key is None:  # an operation mounted outside of the gate stays shut
            raise ApiProblem("missing_key")
        if self.scope and not key_allows(key, self.scope):
            raise ApiProblem("missing_scope", f"This key does not carry the scope {self.scope}.")
        return key


def _admit(request: HttpRequest) -> None:
    key = _authenticate(request)
    request.api_key, request.organization = key, key.organization  # type: ignore[attr-defined]
    structlog.contextvars.bind_contextvars(api_key=key.prefix, organization=key.organization.slug)
    if seconds := rates.take(key.pk):
        detail = f"This key may ask {settings.API_RATE:,} times in a second. Wait {seconds} s."
        raise ApiProblem("rate_limited", detail, headers={"Retry-After": str(seconds)})
    _receive_body(request)


def _authenticate(request: HttpRequest) -> ApiKey:
    scheme, _, raw = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != _SCHEME or not raw.strip():
        raise ApiProblem("missing_key")
    try:
        key = authenticate_key(raw.strip())
    except KeyRefused as refused:
        raise ApiProblem(refused.code, refused.detail) from refused
    if key is None:
        raise ApiProblem("invalid_key")
    return key


def _receive_body(request: HttpRequest) -> None:
    is_long = request.path_info.startswith(_LONG_BODIES)
    receive_body(request, limit=LONG_BODY if is_long else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
