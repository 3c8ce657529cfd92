"""What happens beside the gate: unknown hosts, faults of other middleware; and what the access log may say."""

import json
import logging

import pytest
from django.conf import LazySettings
from django.http import HttpRequest, HttpResponse
from django.test import Client

from integrations.connections.models import Connection

from .conftest import PROBLEM, Caller, problem_of

NET = "messaging.api.safety_net.ProblemMiddleware"
LOG = "config.access_log.PathOnlyRequestMiddleware"
STOCK_LOG = "django_structlog.middlewares.RequestMiddleware"


class Faulty:
    """A middleware that fails, as one of somebody else's might."""

    def __init__(self, get_response: object) -> None:
        pass

    def __call__(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError("not foreseen")


@pytest.fixture
def _net(settings: LazySettings) -> None:
    settings.MIDDLEWARE = [NET, *(name for name in settings.MIDDLEWARE if name != NET)]


@pytest.mark.usefixtures("_net")
def test_an_unknown_host_is_a_problem(api: Caller, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    problem_of(api.get("me", Host="elsewhere.example"), 400, "bad_request")
    # Pages keep their own shape.
    assert Client().get("/", headers={"host": "elsewhere.example"})["Content-Type"] != PROBLEM


@pytest.mark.usefixtures("_net")
def test_addresses_beside_the_api_are_problems(db: None) -> None:
    response = Client().get("/api/v2/messages")
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM)
    assert json.loads(response.content)["code"] == "not_found"


@pytest.mark.usefixtures("_net")
def test_faults_elsewhere_are_problems(api: Caller, settings: LazySettings) -> None:
    settings.MIDDLEWARE = [NET, f"{__name__}.Faulty", *settings.MIDDLEWARE[1:]]
    response = api.get("me")
    problem_of(response, 500, "internal_error")
    assert b"not foreseen" not in response.content


def test_numbers_stay_out_of_the_access_log(
    api: Caller, connection: Connection, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MIDDLEWARE = [LOG if name == STOCK_LOG else name for name in settings.MIDDLEWARE]
    caplog.set_level(logging.INFO)
    assert api.get("messages?to=%2B4915112345678&limit=0").status_code == 422
    assert api.get("messages?to=%2B4915112345678").status_code == 200
    api.post("messages", {"to": "+4915112345678", "body": "My secret"}, **{"Idempotency-Key": "k"})
    api.post("messages", {"to": "+49151123456789999", "body": "My secret"})
    assert "GET /api/v1/messages" in caplog.text
    assert "4915112345678" not in caplog.text
    assert "My secret" not in caplog.text
    assert api.key not in caplog.text
