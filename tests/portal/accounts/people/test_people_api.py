"""Portals by API: happy path, refusals, a stranger's key, a second run."""

import uuid
from typing import Any

import pytest

from integrations.organizations.api_keys import create_key
from integrations.organizations.models import AuditEntry
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from portal.accounts.models import Portal, PortalInvitation, PortalRole
from tests.conftest import Cast
from tests.messaging.api.conftest import Caller, field_of, problem_of

from .conftest import NUMBERS, make_portal, person

pytestmark = pytest.mark.django_db
HERE = "portals/driver-portal"


def caller(cast: Cast, *scopes: str, stranger: bool = False) -> Caller:
    organization = cast.other if stranger else cast.organization
    actor = cast.stranger if stranger else cast.owner
    _, raw = create_key(organization, name=f"Shop {len(scopes)} {scopes[0]}", scopes=list(scopes), actor=actor)
    return Caller(raw)


@pytest.fixture
def api(cast: Cast, portal: Portal) -> Caller:
    return caller(cast, "portals:read", "portals:write")


def test_an_invitation_from_birth_to_end(api: Caller, cast: Cast, portal: Portal) -> None:
    PortalRole.objects.create(portal=portal, name="Drivers")
    given = {"phone": "0151 12345601", "name": "Ada", "role": "drivers", "language": "de"}
    made = api.post(f"{HERE}/invitations", given)
    assert made.status_code == 201, made.content
    told = made.json()
    assert made["Location"] == f"/api/v1/{HERE}/invitations/{told['id']}"
    assert (told["phone"], told["state"], told["source"]) == (NUMBERS[1], "open", "api")
    assert api.get(f"{HERE}/invitations/{told['id']}").json() == told
    assert api.get(f"{HERE}/invitations?state=open").json() == {"items": [told], "next": None}
    assert api.get(f"{HERE}/invitations?state=used").json()["items"] == []
    users = api.get(f"{HERE}/users?status=invited&phone=%2B4915112345601").json()["items"]
    assert [(one["name"], one["role"], one["language"]) for one in users] == [("Ada", "Drivers", "de")]
    problem = problem_of(api.post(f"{HERE}/invitations/{told['id']}/resend"), 409, "invitation_refused")
    assert problem["reason"] == "too_soon"
    assert api.post(f"{HERE}/invitations/{told['id']}/revoke").json()["state"] == "revoked"
    assert api.post(f"{HERE}/invitations/{told['id']}/revoke").json()["state"] == "revoked"
    assert Message.objects.count() == 1
    entry = AuditEntry.objects.get(action="portal_invitation.sent")
    assert entry.actor_label.startswith("API key Shop 2")
    assert NUMBERS[1] not in str(entry.changes)


def test_whoever_is_not_invited_is_told_why(api: Caller, cast: Cast, portal: Portal) -> None:
    first = api.post(f"{HERE}/invitations", {"phone": NUMBERS[1]}).json()
    problem = problem_of(api.post(f"{HERE}/invitations", {"phone": NUMBERS[1]}), 409, "invitation_refused")
    assert (problem["reason"], problem["invitation_id"]) == ("already_invited", first["id"])
    person(portal, 2)
    problem = problem_of(api.post(f"{HERE}/invitations", {"phone": NUMBERS[2]}), 409, "invitation_refused")
    assert problem["reason"] == "already_active"
    opt_out(cast.organization, phone=NUMBERS[3], source="staff")
    problem = problem_of(api.post(f"{HERE}/invitations", {"phone": NUMBERS[3]}), 409, "invitation_refused")
    assert problem["reason"] == "opted_out"
    assert field_of(api.post(f"{HERE}/invitations", {"phone": "12"}))[0] == "phone"
    assert field_of(api.post(f"{HERE}/invitations", {"phone": NUMBERS[4], "role": "None"}))[0] == "role"
    assert field_of(api.post(f"{HERE}/invitations", {"phone": NUMBERS[4], "language": "fr"}))[0] == "language"
    assert Message.objects.count() == 1


def test_another_organization_finds_nothing(api: Caller, cast: Cast, portal: Portal) -> None:
    mine = api.post(f"{HERE}/invitations", {"phone": NUMBERS[1]}).json()
    theirs = caller(cast, "portals:read", "portals:write", stranger=True)
    make_portal(cast, name="Theirs", stranger=True)
    paths: list[tuple[str, str, Any]] = [
        ("GET", f"{HERE}/users", None),
        ("GET", f"{HERE}/invitations", None),
        ("POST", f"{HERE}/invitations", {"phone": NUMBERS[2]}),
        ("GET", f"portals/theirs/invitations/{mine['id']}", None),
        ("POST", f"portals/theirs/invitations/{mine['id']}/revoke", None),
        ("POST", f"{HERE}/invitations/{mine['id']}/resend", None),
        ("GET", f"{HERE}/invitations/{uuid.uuid4()}", None),
    ]
    for method, path, body in paths:
        problem_of(theirs.call(method, path, body), 404, "not_found")
    assert PortalInvitation.objects.get().revoked_at is None


def test_a_key_needs_the_scope(cast: Cast, portal: Portal) -> None:
    reader = caller(cast, "portals:read")
    problem_of(reader.post(f"{HERE}/invitations", {"phone": NUMBERS[1]}), 403, "missing_scope")
    problem_of(caller(cast, "contacts:read").get(f"{HERE}/users"), 403, "missing_scope")
