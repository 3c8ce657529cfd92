"""The access log holds no number and no token."""

import pytest
from django.test import RequestFactory

from config.access_log import PathOnlyRequestMiddleware


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/api/v1/messages?to=%2B4915112345678", "GET /api/v1/messages"),
        ("/invitations/abcdef-123456/", "GET /invitations/•••/"),
        ("/invitations/accept/", "GET /invitations/accept/"),
        ("/u/Abcde23456", "GET /u/•••"),
        ("/p/drivers/i/Abcde23456", "GET /p/drivers/i/•••"),
        ("/i/Abcde23456", "GET /i/•••"),
        ("/accounts/password/reset/key/1-set-password/", "GET /accounts/password/reset/key/•••/"),
    ],
)
def test_path_is_logged_without_query_and_tokens(path: str, logged: str) -> None:
    assert PathOnlyRequestMiddleware.format_request(RequestFactory().get(path)) == logged
