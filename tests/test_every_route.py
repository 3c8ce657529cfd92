"""Every address of the product, asked by everybody: who may enter, and that nothing breaks and nothing leaks.

A new member page is walked by itself, by the capability its decorator names. Any other new address fails the test
until somebody says below who may reach it.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from integrations.connections.models import Connection
from integrations.organizations.models import ApiKey, Invitation, Member
from integrations.organizations.roles import Capability
from messaging.contacts.models import Contact, Tag
from messaging.sending.models import Message
from messaging.templates.models import Template
from tests.conftest import Cast
from tests.world import SECRETS, World, furnish

pytestmark = pytest.mark.django_db

ROLES = ("owner", "admin", "agent", "viewer")
EVERYBODY = ("owner", "admin", "agent", "viewer", "stranger", "operator", None)


@dataclass(frozen=True)
class Route:
    """An address as the resolver has it: its pattern, its view, and the whole name."""

    pattern: str
    view: Any
    name: str

    @property
    def capability(self) -> Capability | None:
        return getattr(self.view, "capability", None)

    @property
    def is_operators(self) -> bool:
        return getattr(self.view, "is_operator_page", False)


def routes(resolver: URLResolver | None = None, prefix: str = "", names: tuple[str, ...] = ()) -> Iterator[Route]:
    """Yield every address of the product."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, pattern, (*names, entry.namespace) if entry.namespace else names)
        elif isinstance(entry, URLPattern):
            yield Route(pattern, entry.callback, ":".join((*names, entry.name or "?")))


ALL = list(routes())
MEMBER_PAGES = [route for route in ALL if route.capability is not None]
OPERATOR_PAGES = [route for route in ALL if route.is_operators]

# Addresses without one of our decorators, and who answers for them.
CLASSIFIED: dict[str, str] = {
    r"^home$": "dashboard inside an organization, a way there outside: see TestHome",
    r"^health-(live|ready)$": "public, without anything of a tenant",
    r"^metrics$": "loopback or a token: see test_health",
    r"^admin:": "walked row by row in test_admin",
    r"^account_|^mfa_": "sign-in, by allauth: about oneself only",
    r"^organizations:(choose|invitation_open|invitation_accept)$": "about oneself: signed in, or with a token",
    r"^hook-(status|inbound)$": "signed by Twilio: see tests/messaging/receipts",
    r"^api:": "by key: see tests/messaging/api",
}


def ids_of(world: World) -> dict[str, Any]:
    """Return the row that a `pk` stands for, by the beginning of the address."""
    return {
        "members/invitations/": world[Invitation].pk,
        "members/": world[Member].pk,
        "api-keys/": world[ApiKey].pk,
        "integration/": world[Connection].pk,
        "contacts/": world[Contact].pk,
        "templates/": world[Template].pk,
        "messages/test/": world[Connection].pk,
        "messages/": world[Message].pk,
    }


def address(route: Route, world: World) -> str:
    """Fill the pattern in with rows of the world."""
    path = re.sub(r"<int:\w+>", "1", route.pattern)
    for beginning, key in ids_of(world).items():
        if path.startswith(beginning):
            path = re.sub(r"<uuid:(pk|connection_id)>", str(key), path, count=1)
            break
    path = re.sub(r"<uuid:(tag|tag_id|tag_pk)>", str(world[Tag].pk), path)
    path = path.replace("<slug:slug>", world.organization.slug)
    path = re.sub(r"<uuid:\w+>", str(uuid.uuid4()), path)
    return re.sub(r"<(str:)?\w+>", "no-such-token", path)


@pytest.fixture
def here(cast: Cast) -> World:
    return furnish(cast.organization, owner=cast.owner, mark="Hither", number="+4915112345678")


@pytest.fixture
def there(cast: Cast) -> World:
    return furnish(cast.other, owner=cast.stranger, mark="Yonder", number="+4915187654321")


def test_every_address_is_classified() -> None:
    unknown = [
        f"{route.name} ({route.pattern})"
        for route in ALL
        if route.capability is None
        and not route.is_operators
        and not any(re.search(known, route.name) for known in CLASSIFIED)
    ]
    assert unknown == [], "say who may reach these: decorate them with member_page, or classify them above"


def test_there_is_something_to_walk() -> None:
    assert len(MEMBER_PAGES) > 40
    assert len(OPERATOR_PAGES) >= 4


@pytest.mark.parametrize("route", MEMBER_PAGES, ids=lambda route: route.name)
def test_member_page_lets_in_by_capability_and_shows_nothing_of_others(
    cast: Cast, here: World, there: World, route: Route
) -> None:
    path = cast.url(address(route, here))
    for who in ROLES:
        may_enter = cast.member(who).can(route.capability)
        answer = cast.client(who).get(path)
        if may_enter:
            assert answer.status_code in {200, 204, 302, 404, 405}, (who, path, answer.status_code)
        else:
            # A page that knows one method only says so before it looks at the role; the other one is refused.
            pair = {answer.status_code, cast.client(who).post(path, {}).status_code}
            assert 403 in pair, (who, path)
            assert pair <= {403, 405}, (who, path)
        text = answer.content.decode(errors="replace")
        assert "Yonder" not in text
        assert "8765 4321" not in text
        for name, secret in SECRETS.items():
            assert secret[:16] not in text, (name, who, path)


@pytest.mark.parametrize("route", MEMBER_PAGES, ids=lambda route: route.name)
def test_member_page_does_not_exist_for_strangers_operators_and_outside(
    cast: Cast, here: World, there: World, route: Route
) -> None:
    path = address(route, here)
    for who in ("stranger", "operator"):
        for method in ("get", "post"):
            assert getattr(cast.client(who), method)(cast.url(path)).status_code == 404, (who, path)
    assert cast.client(None).get(cast.url(path))["Location"].startswith("/accounts/login/"), path
    assert cast.client(None).post(cast.url(path), {}).status_code == 302
    assert cast.client("owner").get("/" + path).status_code in {302, 404, 405}, "outside an organization"


@pytest.mark.parametrize(
    "route",
    [route for route in MEMBER_PAGES if "<uuid:" in route.pattern or "<str:" in route.pattern],
    ids=lambda route: route.name,
)
def test_row_of_another_organization_is_not_found(cast: Cast, here: World, there: World, route: Route) -> None:
    path = cast.url(address(route, there))
    for method in ("get", "post"):
        answer = getattr(cast.client("owner"), method)(path)
        assert answer.status_code in {404, 405}, (method, path, answer.status_code)
        assert "Yonder" not in answer.content.decode(errors="replace")


@pytest.mark.parametrize("route", MEMBER_PAGES, ids=lambda route: route.name)
def test_empty_and_senseless_input_never_breaks_a_member_page(cast: Cast, here: World, route: Route) -> None:
    path = cast.url(address(route, here))
    client = cast.client("owner")
    client.raise_request_exception = False
    senseless = {
        "q": "\x00%",
        "to": "\ud800".encode("utf-8", "surrogatepass"),
        "body": "{{",
        "template": "x",
        "pk": "'",
    }
    for data in ({}, senseless):
        answer = client.post(path, data)
        assert answer.status_code < 500, path
        client.force_login(cast.owner)
    assert client.get(path + "?after=x&top=%00&search=%ff&page=-1&status=%00").status_code < 500, path


@pytest.mark.parametrize("route", OPERATOR_PAGES, ids=lambda route: route.name)
def test_operator_page_is_for_operators_only(cast: Cast, here: World, route: Route) -> None:
    path = "/" + address(route, here)
    for who in ("owner", "admin", "agent", "viewer", "stranger"):
        pair = {cast.client(who).get(path).status_code, cast.client(who).post(path, {}).status_code}
        assert 404 in pair, who
        assert pair <= {404, 405}, who
        assert cast.client(who).get(cast.url(path)).status_code == 404, who
    assert 302 in {cast.client(None).get(path).status_code, cast.client(None).post(path, {}).status_code}
    assert cast.client("operator").get(path).status_code in {200, 405}


@pytest.mark.parametrize("route", MEMBER_PAGES, ids=lambda route: route.name)
def test_suspended_organization_has_no_pages(cast: Cast, here: World, route: Route) -> None:
    type(cast.organization).objects.filter(pk=cast.organization.pk).update(status="suspended")
    assert cast.client("owner").get(cast.url(address(route, here))).status_code == 403


OWN_PAGES = [
    route for route in ALL if re.search(r"^account_|^mfa_|^organizations:|^health|^home$|^metrics$", route.name)
]


@pytest.mark.parametrize("route", OWN_PAGES, ids=lambda route: route.name)
def test_remaining_pages_break_for_nobody(cast: Cast, here: World, route: Route) -> None:
    path = "/" + re.sub(r"\^|\$|\(\?P<\w+>[^)]*\)", "", address(route, here).replace("\\", ""))
    for who in EVERYBODY:
        client = cast.client(who)
        client.raise_request_exception = False
        for method in ("get", "post"):
            answer = getattr(client, method)(path)
            # Without workers readiness is degraded, which is 200; no page of these is ever a 500.
            assert answer.status_code < 500, (who, method, path)
            client.logout()
            if who:
                client.force_login(getattr(cast, who))


class TestHome:
    """The address without a path."""

    def test_leads_a_member_in_and_shows_the_dashboard_inside(self, cast: Cast, here: World, there: World) -> None:
        for who in ROLES:
            answer = cast.client(who).get("/", follow=True)
            assert answer.redirect_chain[-1][0] == cast.url("")
            assert "Yonder" not in answer.content.decode()
        assert cast.client("stranger").get(cast.url("")).status_code == 404
        assert cast.client(None).get(cast.url("")).status_code == 302
