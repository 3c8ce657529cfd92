"""The API and webhooks go a short way: without what serves browsers, and with what everybody needs."""

import logging
import uuid
from typing import Any

import pytest
import structlog
from django.test import Client

from config.machine_door import requests_total
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_neither_session_nor_sign_in_is_looked_at(cast: Cast, django_assert_num_queries: Any) -> None:
    client = cast.client("owner")
    with django_assert_num_queries(0):
        answer = client.post("/api/v1/messages", {}, content_type="application/json")
    assert answer.status_code == 401
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Set-Cookie" not in answer.headers
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_page_of_the_documentation_goes_the_way_of_pages() -> None:
    answer = Client().get("/api/v1/docs")
    assert answer.status_code == 200
    assert "Content-Security-Policy" in answer.headers


def test_webhook_may_come_under_any_host_and_the_api_under_ours_only(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    elsewhere = Client(headers={"host": "proxy.internal:8080"})
    assert elsewhere.post(f"/hooks/twilio/nobody/status/{uuid.uuid4()}").status_code == 404
    assert elsewhere.get("/api/v1/me").status_code == 400


def test_plain_http_is_led_to_https_before_anything_is_asked(settings: Any, django_assert_num_queries: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    with django_assert_num_queries(0):
        answer = Client().post("/api/v1/messages")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/api/v1/messages")


def test_requests_are_counted_by_view_and_refusals_logged_without_their_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted = requests_total.labels("api/v1/messages", "GET", 401)
    before = counted._value.get()
    with caplog.at_level(logging.INFO):
        Client().get("/api/v1/messages?to=%2B4915112345678")
    assert counted._value.get() == before + 1
    assert "GET /api/v1/messages" in caplog.text
    assert "4915112345678" not in caplog.text


def test_what_one_request_bound_to_the_log_is_gone_with_the_next() -> None:
    structlog.contextvars.bind_contextvars(organization="of-the-request-before")
    Client().get("/api/v1/me")
    assert "organization" not in structlog.contextvars.get_contextvars()
