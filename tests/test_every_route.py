"""Every address of the product, asked by everybody: who may enter, that nothing breaks, leaks, or changes unasked."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from integrations.connections.models import Connection
from integrations.organizations.api_keys import create_key
from integrations.organizations.models import Organization
from integrations.organizations.roles import CAPABILITIES, Capability, Role
from integrations.organizations.tenant_admin import TenantAdmin
from messaging.automations.trigger_models import AutomationHook
from messaging.contacts.models import Contact
from portal.accounts import sessions
from portal.accounts.models import Portal, PortalUser
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer
from tests.portal.accounts.furnishing import begin_session, make_person, make_portal
from tests.routes import (
    ADMIN_PAGES,
    ALL,
    ANSWERS,
    CLASSIFIED,
    MEMBER_PAGES,
    OPERATOR_PAGES,
    OURS,
    THEIRS,
    WRITING,
    Asked,
    Door,
    Place,
    Route,
    address,
    ask,
    assert_tells_nothing,
    by_door,
    place,
)  # fmt: skip
from tests.world import SECRETS

pytestmark = pytest.mark.django_db

# An admin carries what an owner carries, as the test below holds; what owners alone may do is tested with members.
ROLES = ("owner", "agent", "viewer")


@pytest.fixture
def here(cast: Cast, sandbox: SandboxServer, settings: Any) -> Place:
    # Whoever presses “Check again” here asks the sandbox, which does not know the account, and never the real Twilio.
    settings.TWILIO_BASE_URL = settings.SANDBOX_URL
    return place(cast.organization, owner=cast.owner, mark="Hither", number=OURS, removable=cast.member("viewer"))


@pytest.fixture
def there(cast: Cast, here: Place) -> Place:
    return place(cast.other, owner=cast.stranger, mark="Yonder", number=THEIRS)


def names(route: Route) -> str:
    return route.name


def bundles(pages: list[Route], *, size: int = 6) -> list[Any]:
    """Put pages that are neighbours together: to furnish two organizations takes longer than to ask for a page."""
    return [
        pytest.param(
            pages[first : first + size], id=f"{pages[first].name} and {len(pages[first : first + size]) - 1} more"
        )
        for first in range(0, len(pages), size)
    ]


def test_who_walks_as_owner_walks_as_admin_too() -> None:
    assert CAPABILITIES[Role.OWNER] == CAPABILITIES[Role.ADMIN]
    assert {*ROLES, Role.ADMIN} == set(Role)


def test_every_address_is_classified() -> None:
    unknown = [
        f"{route.name} ({route.pattern})"
        for route in ALL
        if route.capability is None and not route.is_operators and route.records is None and route.door is None
    ]
    assert unknown == [], (
        "Say who may reach these: decorate them with member_page, or classify them in tests/routes.py."
    )


def test_no_class_is_left_over() -> None:
    for known in CLASSIFIED:
        assert any(re.fullmatch(known, route.name) for route in ALL), f"nothing is called {known} any more"


def test_there_is_something_to_walk() -> None:
    assert len(MEMBER_PAGES) > 60
    assert len(OPERATOR_PAGES) >= 6
    assert len(ADMIN_PAGES) >= 5 * 15


def test_what_looks_for_leaks_finds_them(cast: Cast, there: Place) -> None:
    """The stranger does see the own rows: what is searched for on the pages of others is on pages at all."""
    client = cast.client("stranger")
    page = ask(client, "get", cast.url(f"contacts/{there[Contact].pk}/", cast.other))
    with pytest.raises(AssertionError):
        assert_tells_nothing(page, of=there, about="")
    assert THEIRS[3:] in re.sub(r"\s", "", page.text)


@pytest.mark.parametrize("pages", bundles(MEMBER_PAGES))
def test_member_page_opens_for_roles_with_the_capability_only(
    cast: Cast, here: Place, there: Place, pages: list[Route]
) -> None:
    for route in pages:
        for who in ROLES:
            _open_member_page(cast, here, there, route=route, who=who)


def _open_member_page(cast: Cast, here: Place, there: Place, *, route: Route, who: str) -> None:
    path, client = cast.url(address(route, here)), cast.client(who)
    assert route.capability is not None
    looked, done = ask(client, "get", path), ask(client, "post", path)
    about = (who, path, looked.status, done.status)
    if cast.member(who).can(route.capability):
        assert looked.status in {200, 204, 302, 405} | ANSWERS.get(route.name, set()), about
        if cast.member(who).can(WRITING.get(route.name, route.capability)):
            usual = {200, 204, 302, 400, 405, 409, 422}
            assert done.status in usual | ANSWERS.get(route.name, set()), about
            assert (looked.status, done.status) != (405, 405), about
        else:
            assert (done.status, done.changes) == (403, []), about
    else:
        # A page that knows one method says so before it looks at the role; the other method is refused.
        assert {looked.status, done.status} in ({403}, {403, 405}), about
        assert not done.changes, about
    assert not looked.changes, ("looking changes nothing", who, path, looked.changes)
    for asked in (looked, done):
        assert_tells_nothing(asked, of=there, about=about)


def test_member_pages_do_not_exist_for_anybody_else(cast: Cast, here: Place) -> None:
    clients = {who: cast.client(who) for who in ("owner", "stranger", "operator", None)}
    for path in (address(route, here) for route in MEMBER_PAGES):
        for method in ("get", "post"):
            for who in ("stranger", "operator"):
                asked = ask(clients[who], method, cast.url(path))
                assert (asked.status, asked.changes) == (404, []), (who, method, path)
            anonymous = ask(clients[None], method, cast.url(path))
            assert anonymous.response["Location"].startswith("/accounts/login/?next=/o/acme/"), (method, path)
            for who in ("owner", "operator"):
                asked = ask(clients[who], method, f"/{path}")
                assert asked.status in {404, 405}, ("outside an organization", who, method, path)
                assert not asked.changes
            assert ask(clients[None], method, f"/{path}").status in {302, 405}, (method, path)


def test_rows_of_another_organization_are_not_found(cast: Cast, here: Place, there: Place) -> None:
    for who, world, organization in (("owner", there, cast.organization), ("stranger", here, cast.other)):
        client = cast.client(who)
        for route in (route for route in MEMBER_PAGES if "<" in route.pattern):
            path = cast.url(address(route, world), organization)
            looked, done = ask(client, "get", path), ask(client, "post", path)
            assert {looked.status, done.status} in ({404}, {404, 405}), (who, path, looked.status, done.status)
            assert looked.changes == done.changes == [], (who, path)
            # The address that was asked for may be repeated in the answer; what stands behind it may not.
            for asked in (looked, done):
                assert world.mark not in asked.text, (who, path)


@pytest.mark.parametrize("pages", bundles(MEMBER_PAGES))
def test_senseless_input_never_breaks_a_member_page(cast: Cast, here: Place, pages: list[Route]) -> None:
    client = cast.client("owner")
    senseless = dict.fromkeys(("q", "template", "pk", "phone", "name", "email", "status", "tag", "role"), "\x00%'")
    typed: tuple[dict[str, Any], ...] = (
        {**senseless, "to": b"\xed\xa0\x80", "body": "{{"},
        dict.fromkeys((*senseless, "to", "body"), "x" * 5000),
    )
    questions = ("after=x&top=%00&search=%ff&page=-1&status=%00&tag=%27", "page=99999999999999999999&since=0000")
    for path in (cast.url(address(route, here)) for route in pages):
        for data in typed:
            assert ask(client, "post", path, data).status < 500, path
        for question in questions:
            assert ask(client, "get", f"{path}?{question}").status < 500, (path, question)


def test_suspended_organization_has_no_pages(cast: Cast, here: Place) -> None:
    Organization.objects.filter(pk=cast.organization.pk).update(status="suspended")
    inside = [*MEMBER_PAGES, *(route for route in ADMIN_PAGES if isinstance(route.records, TenantAdmin))]
    for who in ("owner", "viewer"):
        client = cast.client(who)
        for route in (*inside, *by_door(Door.SITE, Door.DASHBOARD)):
            for method in ("get", "post"):
                asked = ask(client, method, cast.url(address(route, here)))
                assert (asked.status, asked.changes) == (403, []), (who, method, route.name)


@pytest.mark.parametrize("route", OPERATOR_PAGES, ids=names)
def test_operator_page_is_for_operators_only(cast: Cast, here: Place, route: Route) -> None:
    path = f"/{address(route, here)}"
    for who in ("owner", "viewer", "stranger"):
        looked, done = ask(cast.client(who), "get", path), ask(cast.client(who), "post", path)
        assert {looked.status, done.status} in ({404}, {404, 405}), who
        assert not done.changes
    for who in ("owner", "operator"):
        assert ask(cast.client(who), "get", cast.url(path)).status == 404, "inside an organization"
    assert {ask(cast.client(None), method, path).status for method in ("get", "post")} <= {302, 405}
    looked, done = ask(cast.client("operator"), "get", path), ask(cast.client("operator"), "post", path)
    assert {looked.status, done.status} <= {200, 302, 405, 422}
    assert not looked.changes
    for asked in (looked, done):
        assert_tells_nothing(asked, of=None, about=path)


def _may(cast: Cast, who: str, records: TenantAdmin, page: str, row: Any) -> bool:
    """Tell what a role may do with a model in the admin, by what its admin declares."""
    member = cast.member(who)
    if page == "add":
        capability = records.change_capability if records.may_add else None
    elif page == "delete":
        capability = records.delete_capability
    else:
        capability = records.view_capability
    is_open = capability is not None and member.can(capability)
    return is_open and (page != "history" or member.can(Capability.VIEW_AUDIT))


@pytest.mark.parametrize(
    "pages", bundles([route for route in ADMIN_PAGES if isinstance(route.records, TenantAdmin)], size=10)
)
def test_admin_page_opens_by_role_for_own_rows_only(cast: Cast, here: Place, there: Place, pages: list[Route]) -> None:
    for route in pages:
        for who in ROLES:
            _open_admin_page(cast, here, there, route=route, who=who)


def _open_admin_page(cast: Cast, here: Place, there: Place, *, route: Route, who: str) -> None:
    records, page = route.records, route.name.rpartition("_")[2]
    assert isinstance(records, TenantAdmin)
    path, row, client = cast.url(address(route, here)), here[records.model], cast.client(who)
    looked, done = ask(client, "get", path), ask(client, "post", path, {"post": "yes", "q": "Yonde"})
    about = (who, path, looked.status, done.status)
    assert looked.status == (200 if _may(cast, who, records, page, row) else 403), about
    may_change = page in {"add", "delete"} and _may(cast, who, records, page, row)
    if page == "change":
        may_change = records.change_capability is not None and cast.member(who).can(records.change_capability)
    assert done.status in {200, 302, 403}, about
    if not may_change:
        assert not done.changes, about
        assert page in {"changelist", "history"} or done.status == 403, about
    assert not looked.changes, about
    for asked in (looked, done):
        assert_tells_nothing(asked, of=there, about=about)


def test_admin_pages_do_not_exist_for_anybody_else(cast: Cast, here: Place) -> None:
    """Rows of others are asked for in organizations/test_tenant_admin."""
    clients = {who: cast.client(who) for who in ("owner", "stranger", "operator", None)}
    for route in (route for route in ADMIN_PAGES if isinstance(route.records, TenantAdmin)):
        path = address(route, here)
        # Nothing tells the methods apart before the door: each page is knocked at with the one that does most.
        method = "post" if route.name.endswith(("_add", "_change", "_delete")) else "get"
        for who in ("stranger", "operator"):
            assert ask(clients[who], method, cast.url(path)).status == 404, (who, method, path)
        for who in ("owner", "operator"):
            assert ask(clients[who], method, f"/{path}").status == 404, ("outside", who, method, path)
        assert ask(clients[None], method, cast.url(path)).status == 302, (method, path)


@pytest.mark.parametrize(
    "route", [route for route in ADMIN_PAGES if not isinstance(route.records, TenantAdmin)], ids=names
)
def test_admin_page_of_the_installation_is_the_operators(cast: Cast, here: Place, route: Route) -> None:
    path, page = f"/{address(route, here)}", route.name.rpartition("_")[2]
    for method in ("get", "post"):
        for who in ("owner", "viewer", "stranger"):
            assert ask(cast.client(who), method, path).status == 404, who
        assert ask(cast.client("owner"), method, cast.url(path)).status == 404, "inside an organization"
        assert ask(cast.client(None), method, path).status == 302
    looked = ask(cast.client("operator"), "get", path)
    assert looked.status == {"add": 403, "delete": 403, "history": 404}.get(page, 200)
    assert "md5$" not in looked.text, "no hash of a password"
    assert_tells_nothing(looked, of=None, about=path)


@pytest.mark.parametrize("route", by_door(Door.SITE), ids=names)
def test_site_of_the_admin_lets_in_members_inside_and_operators_outside(
    cast: Cast, here: Place, there: Place, route: Route
) -> None:
    path = address(route, here)
    for method in ("get", "post"):
        for who in ROLES:
            asked = ask(cast.client(who), method, cast.url(path))
            assert asked.status in {200, 302, 403, 404, 405}, (who, path)
            assert_tells_nothing(asked, of=there, about=(who, path))
            assert ask(cast.client(who), method, f"/{path}").status == 404, ("outside", who, path)
        for who in ("stranger", "operator"):
            assert ask(cast.client(who), method, cast.url(path)).status == 404, (who, path)
        assert ask(cast.client(None), method, cast.url(path)).status == 302
        assert ask(cast.client(None), method, f"/{path}").status == 302
        assert ask(cast.client("operator"), method, f"/{path}").status in {200, 302, 403, 404, 405}


# Without the metrics: a hundred thousand figures by now, and test_health holds their door.
OUTSIDE = [route for route in by_door(Door.PUBLIC, Door.SIGNED_IN) if route.name != "metrics"]


@pytest.mark.parametrize("route", OUTSIDE, ids=names)
def test_pages_outside_of_organizations_tell_nothing_of_them(cast: Cast, here: Place, route: Route) -> None:
    path = f"/{address(route, here)}"
    for who in ("owner", "viewer", "stranger", "operator", None):
        looked, done = ask(cast.client(who), "get", path), ask(cast.client(who), "post", path)
        about = (who, path, looked.status, done.status)
        assert {looked.status, done.status} <= {200, 302, 400, 404, 405} | ANSWERS.get(route.name, set()), about
        if who is None and route.door is Door.SIGNED_IN:
            assert {looked.status, done.status} <= {302, 405}, about
        if who in {"stranger", "operator", None}:
            assert_tells_nothing(looked, of=here, about=about)
            assert_tells_nothing(done, of=here, about=about)
        assert not looked.changes, about
    for who in ("owner", "operator", "stranger"):
        assert ask(cast.client(who), "get", cast.url(path)).status == 404, ("inside an organization", who)


@pytest.mark.parametrize("route", by_door(Door.SIGNED), ids=names)
def test_webhooks_believe_signatures_only(cast: Cast, here: Place, route: Route) -> None:
    path = f"/{address(route, here)}"
    for who in ("owner", "operator", None):
        assert ask(cast.client(who), "get", path).status == 405, who
        refused = ask(cast.client(who), "post", path, {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"})
        assert refused.status == 403, who
        assert not [sql for sql in refused.changes if "refusedwebhook" not in sql], "a refusal is noted, nothing else"
        assert ask(cast.client(who), "post", path.replace(here[Connection].hook_key, "nobody")).status == 404
    assert ask(cast.client("owner"), "post", cast.url(path)).status == 404, "inside an organization"


@pytest.mark.parametrize("route", by_door(Door.SECRET), ids=names)
def test_webhooks_of_automations_believe_their_secret_only(cast: Cast, here: Place, route: Route) -> None:
    path = f"/{address(route, here)}"
    for who in ("owner", "operator", None):
        assert ask(cast.client(who), "get", path).status == 405, who
        refused = ask(cast.client(who), "post", path, {"a": "b"})
        assert refused.status in {401, 403}, who
        assert not [sql for sql in refused.changes if "hook" not in sql], "a refusal is noted, nothing else"
        assert ask(cast.client(who), "post", path.replace(here[AutomationHook].key, "nobody")).status == 404
    assert ask(cast.client("owner"), "post", cast.url(path)).status == 404, "inside an organization"


@pytest.mark.parametrize("route", by_door(Door.KEY), ids=names)
def test_api_asks_for_a_key_first_and_shows_rows_of_its_organization_only(
    cast: Cast, here: Place, there: Place, route: Route
) -> None:
    path = f"/{address(route, here)}"
    _, key = create_key(cast.other, name="theirs", actor=cast.stranger)
    for who in ("owner", "operator", None):
        client = cast.client(who)
        for method in ("get", "post", "put", "patch", "delete"):
            asked = ask(client, method, path)
            assert (asked.status, asked.changes) == (401, []), ("a session is no key", who, method)
    assert ask(cast.client("owner"), "get", cast.url(path)).status == 404, "inside an organization"
    holder = Client(headers={"Authorization": f"Bearer {key}"})
    for method in ("get", "post", "put", "patch", "delete"):
        asked = ask(holder, method, path)
        assert asked.status < 500, method
        assert_tells_nothing(asked, of=here, about=(method, path))
        if "<" in route.pattern:
            assert asked.status in {400, 404, 405, 415, 422}, (method, path)
            assert not [sql for sql in asked.changes if "apikey" not in sql], (method, path)


PORTALS = by_door(Door.PORTAL, Door.PORTAL_USER)


def test_portal_pages_are_for_people_of_that_portal_only(cast: Cast, here: Place, there: Place) -> None:
    """Members, strangers, people of another portal and nobody see the door, and what stands behind it is not named."""
    person, other = here[PortalUser], there[PortalUser]
    clients = {who: cast.client(who) for who in ("owner", "stranger", "operator", None)}
    # The cookie of another portal, sent to this one's address all the same.
    clients["other"] = logged_in(other)
    # The organization's second portal has people of its own, too.
    clients["sibling"] = logged_in(make_person(make_portal(cast.organization, slug="sibling"), name="Sibling"))
    for route in PORTALS:
        path = f"/{address(route, here)}"
        for who, client in clients.items():
            looked, done = ask(client, "get", path), ask(client, "post", path, {"token": "x" * 40})
            about = (who, path, looked.status, done.status)
            assert not looked.changes, about
            if route.door is Door.PORTAL_USER:
                assert {looked.status, done.status} <= {302, 405}, about
                assert not done.changes, about
                for asked in (looked, done):
                    assert asked.status == 405 or asked.response["Location"] == f"/p/{here[Portal].slug}/", about
            assert {looked.status, done.status} <= {200, 302, 403, 404, 405, 409, 422}, about
            for asked in (looked, done):
                assert_names_nobody(asked, person, about=about)
        assert ask(clients["owner"], "get", cast.url(path)).status == 404, ("inside an organization", path)


def test_portal_pages_open_to_who_is_logged_in_and_do_nothing_for_forged_forms(cast: Cast, here: Place) -> None:
    person = here[PortalUser]
    client = logged_in(person)
    for route in PORTALS:
        path = f"/{address(route, here)}"
        looked = ask(client, "get", path)
        # An address to which forms alone are sent is no page: the others are to be there.
        assert looked.status in {200, 302, 405} | ANSWERS.get(route.name, set()), (path, looked.status)
        assert not looked.changes, path
        if route.door is Door.PORTAL_USER:
            forged = ask(client, "post", path, {"post": "yes"})
            assert forged.status in {403, 405}, (path, forged.status)
            assert not forged.changes, path
    client.logout()
    assert cast.client("owner").get("/p/hither-portal/home").status_code == 302, "a member is nobody here"


def test_a_portal_login_opens_no_page_of_members(cast: Cast, here: Place) -> None:
    client = logged_in(here[PortalUser])
    for path in (cast.url(""), cast.url("contacts/"), "/accounts/email/", "/admin/", "/operator/"):
        answer = client.get(path)
        assert answer.status_code == 302 and "login" in answer["Location"], path


def logged_in(person: PortalUser) -> Client:
    """Return a browser with a session of that person; its cookies are sent everywhere, whatever their path."""
    client = Client()
    client.cookies[sessions.SESSION] = begin_session(person)
    return client


def assert_names_nobody(asked: Asked, person: PortalUser, *, about: object) -> None:
    squeezed = re.sub(r"[\s()-]|&nbsp;", "", asked.text)
    assert person.phone[3:] not in squeezed, about
    assert person.name not in asked.text, about
    assert str(person.pk) not in asked.text, about
    for name, secret in SECRETS.items():
        assert secret[:16] not in asked.text, (name, about)


class TestDashboard:
    """The address without a path."""

    def test_leads_a_member_in_and_shows_the_dashboard_inside(self, cast: Cast, here: Place, there: Place) -> None:
        for who in ROLES:
            answer = cast.client(who).get("/", follow=True)
            assert answer.redirect_chain[-1][0] == cast.url("")
            assert_tells_nothing(Asked(answer, []), of=there, about=who)  # type: ignore[arg-type]
        for who in ("stranger", "operator"):
            assert cast.client(who).get(cast.url("")).status_code == 404
        assert cast.client(None).get(cast.url("")).status_code == 302
        assert cast.client("operator").get("/")["Location"] == "/operator/"
        assert cast.client("stranger").get("/")["Location"] == "/o/borealis/"


def test_unknown_addresses_are_not_found(cast: Cast) -> None:
    for path in ("nothing", "nothing/", "wp-login.php", "..%2f", "%00", "o/", "admin/x/y/z/"):
        assert cast.client("owner").get(cast.url(path)).status_code == 404, path
        assert cast.client("operator").get(f"/{path}").status_code == 404, path


def test_every_model_in_the_admin_is_walked() -> None:
    walked = {route.records.model for route in ADMIN_PAGES if route.records is not None}
    assert walked == set(admin.site._registry)
