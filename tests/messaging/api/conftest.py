"""A caller of the API, and the keys of the cast."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from integrations.organizations.api_keys import create_key
from integrations.organizations.models import Organization
from integrations.organizations.scopes import EVERYTHING
from messaging.api import rates
from tests.conftest import Cast

PROBLEM = "application/problem+json"


@dataclass
class Caller:
    """A program with a key: `call("POST", "messages", {...})`; nothing is raised, everything is answered."""

    key: str | None

    def call(
        self, method: str, path: str, body: Any = None, environ: dict[str, Any] | None = None, **headers: str
    ) -> HttpResponse:
        """Make a request below /api/v1/; a dict goes as JSON, bytes go as they are."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if self.key is not None:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        content_type = headers.pop("Content-Type", "application/json")
        return Client(raise_request_exception=False).generic(
            method, f"/api/v1/{path}", raw, content_type=content_type, headers=headers, **(environ or {})
        )

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        return self.call("POST", path, body, **options)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    # Nobody signs in here; six slow hashes for each test are most of its time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _fresh_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_client", None)
    monkeypatch.setattr(rates, "_kept", {})
    monkeypatch.setattr(rates, "_doubtful_until", 0.0)


@pytest.fixture
def make_caller(cast: Cast) -> Callable[..., Caller]:
    def make(*scopes: str, organization: Organization | None = None) -> Caller:
        _, raw = create_key(
            organization or cast.organization,
            name="Shop",
            scopes=scopes or EVERYTHING,
            actor=None,
            may_repeat_name=True,
        )
        return Caller(raw)

    return make


@pytest.fixture
def api(make_caller: Callable[..., Caller]) -> Caller:
    """The organization's own program, allowed everything."""
    return make_caller()


@pytest.fixture
def stranger(cast: Cast, make_caller: Callable[..., Caller]) -> Caller:
    """A program of another organization, allowed everything there."""
    return make_caller(organization=cast.other)


def problem_of(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is this problem in the shape that is promised, and return it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    problem = json.loads(response.content)
    assert {"type", "title", "status", "code", "detail", "errors"} <= problem.keys()
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["title"] and problem["detail"]
    return problem


def field_of(response: HttpResponse) -> tuple[str, str]:
    """Check that the answer names exactly one field, and return its name and code."""
    problem = problem_of(response, 422, "validation_failed")
    (error,) = problem["errors"]
    assert error["detail"]
    return error["field"], error["code"]
