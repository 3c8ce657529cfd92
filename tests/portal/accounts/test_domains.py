"""Portals on domains of their own: which are taken, what they serve, and that nothing else of the product is there."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts import domains
from portal.accounts.addresses import address_of
from portal.accounts.domains import clean_domain, set_domain
from portal.accounts.models import Portal
from portal.accounts.setting_up import SetupProblem, create_portal, switch
from tests.conftest import Cast

DOMAIN = "drivers.acme.example"


@pytest.fixture(autouse=True)
def nothing_is_known() -> Iterator[None]:
    domains.forget()
    yield
    domains.forget()


@pytest.fixture
def there(portal: Portal, cast: Cast) -> Portal:
    """The portal, on, and at a domain."""
    switch(portal, on=True, actor=cast.owner)
    set_domain(portal, domain=DOMAIN, actor=cast.owner)
    return portal


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": DOMAIN})


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        (" Portal.Example.COM ", "portal.example.com"),
        ("https://portal.example.com/", "portal.example.com"),
        ("portal.example.com.", "portal.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("below.sms.example.com", "below.sms.example.com"),
    ],
)
def test_domain_is_kept_as_browsers_name_it(text: str, domain: str, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://sms.example.com"
    assert clean_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    ["portal", "localhost", "10.0.0.1", "[::1]", "https://a.example/path", "a.example:8443", "http://u:p@a.example",
     "*.example.com", "a b.example", "-a.example", "a..example", "x" * 64 + ".example", "a.example?x=1", "https://[::1"],
)  # fmt: skip
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(SetupProblem, match="is no domain"):
        clean_domain(text)


def test_our_own_hosts_are_refused(settings: Any) -> None:
    settings.PUBLIC_BASE_URL, settings.ALLOWED_HOSTS = "https://sms.example.com", ["*", ".inside.example"]
    for ours in ("sms.example.com", "www.inside.example"):
        with pytest.raises(SetupProblem, match="This installation itself"):
            clean_domain(ours)
    assert clean_domain("portal.example.org") == "portal.example.org"


@pytest.mark.django_db
def test_domain_is_one_portals(there: Portal, cast: Cast) -> None:
    theirs = create_portal(cast.other, name="Theirs", actor=cast.stranger)
    with pytest.raises(SetupProblem, match="Another portal"):
        set_domain(theirs, domain=DOMAIN, actor=cast.stranger)
    assert not set_domain(there, domain=DOMAIN, actor=cast.owner)
    assert set_domain(there, domain="", actor=cast.owner)
    assert set_domain(theirs, domain=DOMAIN, actor=cast.stranger)


@pytest.mark.django_db
def test_portal_is_served_at_its_domain_with_links_that_stay_there(there: Portal, visitor: Client) -> None:
    page = visitor.get("/", secure=True)
    assert page.status_code == 200
    assert "Driver portal" in page.text
    assert f"/p/{there.slug}/" not in page.text
    spoken = visitor.get("/?lang=en", secure=True).cookies["hg_lang"]
    assert spoken["path"] == "/"
    assert Client().get(f"/p/{there.slug}/?lang=en").cookies["hg_lang"]["path"] == f"/p/{there.slug}/"
    assert visitor.get("/home", secure=True)["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/o/acme/", "/admin/", "/organizations/", "/api/v1/openapi.json", "/health/live", "/metrics",
     "/hooks/twilio/x/status", "/u/x", "/f/x", "/p/driver-portal/", "/p/other/", "/operator/", "/static/nothing.css"],
)  # fmt: skip
def test_nothing_else_of_the_product_is_there(there: Portal, cast: Cast, path: str) -> None:
    client = cast.client("owner")
    answer = client.get(path, headers={"host": DOMAIN}, secure=True)
    assert answer.status_code == 404
    assert cast.owner.email not in answer.text


@pytest.mark.django_db
def test_switched_off_portal_says_so_at_its_domain(there: Portal, cast: Cast, visitor: Client) -> None:
    switch(there, on=False, actor=cast.owner)
    answer = visitor.get("/", secure=True)
    assert answer.status_code == 403
    assert "switched off" in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.example", "x.drivers.acme.example", "drivers.acme.example.evil.example", "a b"])
def test_other_hosts_are_refused_as_ever(there: Portal, host: str) -> None:
    assert Client(headers={"host": host}).get("/accounts/login/").status_code == 400
    assert Client(headers={"host": host}).get(f"/p/{there.slug}/").status_code == 400


@pytest.mark.django_db
def test_invented_hosts_cause_no_statements(there: Portal) -> None:
    domains.site_at("first.example")
    with CaptureQueriesContext(database) as statements:
        Client(headers={"host": "second.example"}).get("/")
        assert domains.site_at(DOMAIN) is not None
    assert not [row for row in statements if "portal_portal" in row["sql"]]


@pytest.mark.django_db
def test_links_lead_to_the_domain_once_it_was_seen_over_https(there: Portal, cast: Cast, visitor: Client) -> None:
    def address() -> str:
        return address_of(Portal.objects.get(pk=there.pk), "i/abc")

    usual = f"/p/{there.slug}/i/abc"
    assert address().endswith(usual)
    visitor.get("/")
    assert address().endswith(usual), "without https nobody should be led there"
    visitor.get("/", secure=True)
    assert address() == f"https://{DOMAIN}/i/abc"
    set_domain(there, domain="other.acme.example", actor=cast.owner)
    assert address().endswith(usual)


@pytest.mark.django_db
def test_domain_is_given_and_taken_by_its_button(portal: Portal, cast: Cast) -> None:
    client, at = cast.client("owner"), cast.url(f"portals/{portal.pk}/")
    refused = client.post(f"{at}domain/", {"domain": "no domain"})
    assert refused.status_code == 422
    assert "is no domain" in refused.text
    assert 'value="no domain"' in refused.text
    page = client.post(f"{at}domain/", {"domain": DOMAIN}, follow=True).text
    assert "CNAME" in page
    assert "Not seen yet" in page
    Client(headers={"host": DOMAIN}).get("/", secure=True)
    assert "Works" in client.get(f"{at}rules/").text
    assert DOMAIN in client.get(at).text
    assert "The domain is gone" in client.post(f"{at}domain/", {"domain": ""}, follow=True).text
    assert cast.client("agent").post(f"{at}domain/", {"domain": DOMAIN}).status_code == 403
