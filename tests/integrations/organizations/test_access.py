"""Who may enter which page of the room."""

import pytest
from django.urls import reverse

from integrations.organizations.api_keys import create_key
from integrations.organizations.invitations import invite
from tests.conftest import Cast

MANAGERS = ("owner", "admin")
PEOPLE = ("owner", "admin", "agent", "viewer")
PAGES = ("members/", "members/invite/", "settings/", "api-keys/", "api-keys/new/", "audit/")


@pytest.mark.parametrize("path", PAGES)
def test_managing_pages_open_for_owner_and_admin_only(cast: Cast, path: str) -> None:
    for who in PEOPLE:
        response = cast.client(who).get(cast.url(path))
        assert response.status_code == (200 if who in MANAGERS else 403), who
    assert cast.client("stranger").get(cast.url(path)).status_code == 404
    assert cast.client("operator").get(cast.url(path)).status_code == 404
    anonymous = cast.client(None).get(cast.url(path))
    assert anonymous.status_code == 302
    assert anonymous["Location"] == f"/accounts/login/?next={cast.url(path)}"


def test_everybody_may_leave_but_strangers_see_no_page(cast: Cast) -> None:
    for who in PEOPLE:
        assert cast.client(who).get(cast.url("members/leave/")).status_code == 200
    assert cast.client("stranger").get(cast.url("members/leave/")).status_code == 404


def test_objects_of_another_organization_do_not_exist(cast: Cast) -> None:
    member = cast.member("stranger")
    key, _ = create_key(cast.other, name="theirs", actor=cast.stranger)
    invitation, _ = invite(cast.other, email="new@borealis.example", role="agent", actor=cast.stranger)
    client = cast.client("owner")
    for path in (
        f"members/{member.pk}/",
        f"members/{member.pk}/remove/",
        f"api-keys/{key.pk}/revoke/",
    ):
        assert client.get(cast.url(path)).status_code == 404, path
        assert client.post(cast.url(path), {"role": "viewer"}).status_code == 404, path
    for path in (f"members/invitations/{invitation.pk}/resend/", f"members/invitations/{invitation.pk}/revoke/"):
        assert client.post(cast.url(path)).status_code == 404, path
    key.refresh_from_db()
    invitation.refresh_from_db()
    assert key.is_live
    assert invitation.is_open
    assert cast.member("stranger").role == "owner"


@pytest.mark.parametrize(
    ("name", "needs_slug", "method"),
    [
        ("operator", False, "get"),
        ("operator_new", False, "get"),
        ("operator_audit", False, "get"),
        ("operator_detail", True, "get"),
        ("operator_suspend", True, "post"),
        ("operator_reactivate", True, "post"),
    ],
)
def test_operator_pages_are_for_operators(cast: Cast, name: str, needs_slug: bool, method: str) -> None:
    url = reverse(f"organizations:{name}", kwargs={"slug": cast.organization.slug} if needs_slug else None)
    for who in (*PEOPLE, "stranger"):
        assert getattr(cast.client(who), method)(url).status_code == 404, who
    assert getattr(cast.client(None), method)(url).status_code == 302
    assert getattr(cast.client("operator"), method)(url).status_code in (200, 302)
    cast.organization.refresh_from_db()
    assert not cast.organization.is_suspended


@pytest.mark.parametrize("path", ["members/invitations/{id}/resend/", "members/invitations/{id}/revoke/"])
def test_changes_need_a_post(cast: Cast, path: str) -> None:
    invitation, _ = invite(cast.organization, email="new@acme.example", role="agent", actor=cast.owner)
    assert cast.client("owner").get(cast.url(path.format(id=invitation.pk))).status_code == 405


def test_weaker_roles_cannot_post_either(cast: Cast) -> None:
    viewer = cast.member("viewer")
    client = cast.client("agent")
    assert client.post(cast.url(f"members/{viewer.pk}/"), {"role": "owner"}).status_code == 403
    assert client.post(cast.url(f"members/{viewer.pk}/remove/")).status_code == 403
    assert client.post(cast.url("api-keys/new/"), {"name": "x", "scopes": ["messages:read"]}).status_code == 403
    assert client.post(cast.url("settings/"), {"name": "Mine"}).status_code == 403
    assert cast.organization.api_keys.count() == 0


@pytest.mark.parametrize(
    ("who", "sees", "sees_not"),
    [
        ("admin", ("Audit log", "API keys", "Send SMS"), ()),
        ("agent", ("Send SMS", "Contacts"), ("Audit log", "API keys")),
        ("viewer", ("Contacts",), ("Audit log", "Send SMS")),
    ],
)
def test_sidebar_shows_members_what_their_role_reaches(
    cast: Cast, who: str, sees: tuple[str, ...], sees_not: tuple[str, ...]
) -> None:
    page = cast.client(who).get(cast.url("members/leave/")).content.decode()
    for words in sees:
        assert words in page, words
    for words in (*sees_not, "permission to view or edit"):
        assert words not in page, words
