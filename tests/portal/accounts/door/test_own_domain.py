"""The whole way into a portal at a domain of its own: links and cookies stay there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from portal.accounts import domains
from portal.accounts.models import Portal
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import Visitor, login
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db
DOMAIN = "drivers.acme.example"


class Browser(Client):
    """A browser that comes by the domain, over https."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        return super().generic(*args, **{**kwargs, "secure": True})


@dataclass
class Guest(Visitor):
    """A visitor who came by the domain."""

    client: Client = field(default_factory=lambda: Browser(enforce_csrf_checks=True, headers={"host": DOMAIN}))

    @property
    def url(self) -> str:
        return "/"


@pytest.fixture(autouse=True)
def nothing_is_known() -> Iterator[None]:
    domains.forget()
    yield
    domains.forget()


def test_registering_and_every_page_inside_stay_at_the_domain(
    drivers: Portal, phones: VirtualPhones, cast: Cast
) -> None:
    domains.set_domain(drivers, domain=DOMAIN, actor=cast.owner)
    guest = Guest(drivers)
    login(guest, phones).fill(f2="B-AB 12")
    assert guest.page is not None
    assert guest.page["Location"] == "/home"
    assert guest.is_in
    cookies = [cookie for cookie in guest.client.cookies.values() if cookie.value]
    assert {cookie.key for cookie in cookies} >= {"hg_portal", "hg_device"}
    assert {(cookie["path"], cookie["secure"], cookie["httponly"]) for cookie in cookies} == {("/", True, True)}

    seen, to_see = set(), {"/home"}
    while to_see - seen:
        path = min(to_see - seen)
        seen.add(path)
        answer = guest.client.get(path)
        assert answer.status_code == 200, path
        text = "" if answer.streaming or "html" not in answer["Content-Type"] else answer.text
        assert "/p/drivers" not in text, path
        to_see |= {link.split("?")[0].split("#")[0] for link in re.findall(r'<a[^>]+href="(/[^"]*)"', text)}
    assert len(seen) > 5, seen

    # Neither the cookie of the domain nor that of a member opens anything at the other's address.
    token = guest.client.cookies["hg_portal"].value
    usual = Client()
    usual.cookies["heliograph_member"] = token
    for path in (cast.url(""), cast.url("contacts/"), cast.url(f"portals/{drivers.pk}/people/"), "/accounts/email/"):
        answer = usual.get(path)
        assert answer.status_code == 302 and "login" in answer["Location"], path
    assert usual.get("/home", headers={"host": DOMAIN}, secure=True)["Location"] == "/"
    member = cast.client("owner")
    assert member.get(cast.url(f"portals/{drivers.pk}/people/")).status_code == 200, "the page is there"
    assert member.get("/home", headers={"host": DOMAIN}, secure=True)["Location"] == "/"
