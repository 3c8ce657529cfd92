"""The mount of an organization: who comes in, and where the others are led."""

import pytest

from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_expired_session_is_led_to_sign_in_and_back(cast: Cast) -> None:
    answer = cast.client(None).get(cast.url("messages/?search=abc"))
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/o/acme/messages/%3Fsearch%3Dabc"


def test_refresh_of_a_part_leads_the_whole_page_to_sign_in(cast: Cast) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/o/acme/messages/?search=abc"}
    answer = cast.client(None).get(cast.url("messages/"), headers=headers)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/accounts/login/?next=%2Fo%2Facme%2Fmessages%2F"
    assert answer.content == b""


@pytest.mark.parametrize("current", ["//evil.example/x", "javascript:alert(1)", "http://testserver//evil.example", ""])
def test_refresh_never_leads_elsewhere(cast: Cast, current: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": current}
    target = cast.client(None).get(cast.url("messages/"), headers=headers)["HX-Redirect"]
    assert target.startswith("/accounts/login/?next=%2F")
    assert "evil" not in target.split("next=")[1][:10]


def test_unknown_organization_and_one_of_others_answer_alike(cast: Cast) -> None:
    client = cast.client("stranger")
    assert client.get("/o/acme/").status_code == client.get("/o/no-such/").status_code == 404
    assert client.get("/o/acme/").content == client.get("/o/no-such/").content


def test_links_of_a_page_stay_inside_the_organization(cast: Cast) -> None:
    page = cast.client("owner").get(cast.url("messages/")).content.decode()
    assert 'href="/o/acme/contacts/"' in page
    assert 'href="/contacts/"' not in page


@pytest.mark.parametrize(
    "path", ["api/v1/messages", "hooks/twilio/x/inbound", "health/live", "metrics", "operator/", "o/acme/"]
)
def test_what_belongs_to_no_organization_is_not_inside_one(cast: Cast, path: str) -> None:
    assert cast.client("owner").get(cast.url(path)).status_code == 404


def test_suspended_organization_shows_why_and_nothing_else(cast: Cast) -> None:
    cast.organization.status, cast.organization.suspended_reason = "suspended", "unpaid"
    cast.organization.save()
    answer = cast.client("owner").get(cast.url("messages/"))
    assert answer.status_code == 403
    assert "unpaid" in answer.content.decode()
