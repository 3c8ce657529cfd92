"""create_org and create_api_key, for people and for scripts."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from integrations.management.commands.create_org import Command as CreateOrg
from integrations.organizations.api_keys import authenticate_key
from integrations.organizations.models import ApiKey, AuditEntry, Member, Organization, User
from tests.conftest import Cast

PASSWORD = "a quiet harbour at dawn"


def _run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def _refused(*arguments: str) -> str:
    out = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command(*arguments, "--json", stdout=out, stderr=io.StringIO())
    assert left.value.code == 1
    problem = json.loads(out.getvalue())
    assert problem["detail"]
    return problem["code"]


@pytest.mark.django_db
def test_create_org_makes_organization_and_owner() -> None:
    made = _run("create_org", "--name", "Cedar", "--owner", "C@cedar.example", "--password", PASSWORD, "--region", "de")
    organization = Organization.objects.get(slug="cedar")
    assert made == {"slug": "cedar", "id": str(organization.pk)}
    assert organization.default_region == "DE"
    member = Member.objects.get(organization=organization)
    assert (member.role, member.user.email) == ("owner", "c@cedar.example")
    assert member.user.check_password(PASSWORD)
    assert member.user.emailaddress_set.get().verified
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"organization.created", "member.added"}


def test_create_org_refuses_and_leaves_nothing_behind(cast: Cast) -> None:
    new = ("--owner", "c@cedar.example", "--password", PASSWORD)
    assert _refused("create_org", "--name", "acme logistics", *new) == "name_taken"
    assert _refused("create_org", "--name", "Acme", *new) == "slug_taken"
    assert _refused("create_org", "--name", "Cedar", "--slug", "a b", *new) == "bad_slug"
    assert _refused("create_org", "--name", "Cedar", "--region", "ZZ", *new) == "bad_region"
    assert _refused("create_org", "--name", "Cedar", "--time-zone", "Mars", *new) == "bad_time_zone"
    assert _refused("create_org", "--name", "Cedar", "--owner", "c@cedar.example", "--password", "123") == (
        "weak_password"
    )
    assert _refused("create_org", "--name", "Cedar", "--owner", "cedar", "--password", PASSWORD) == "bad_email"
    assert Organization.objects.count() == 2
    assert not User.objects.filter(email="c@cedar.example").exists()


def test_create_org_keeps_the_password_of_an_account_that_exists(cast: Cast) -> None:
    err = io.StringIO()
    call_command(
        "create_org",
        "--name",
        "Cedar",
        "--owner",
        "AGENT@acme.example",
        "--password",
        PASSWORD,
        stdout=io.StringIO(),
        stderr=err,
    )
    assert "keeps its password" in err.getvalue()
    cast.agent.refresh_from_db()
    assert not cast.agent.check_password(PASSWORD)
    assert Member.objects.get(organization__slug="cedar").user == cast.agent


def test_create_api_key_prints_a_key_that_works(cast: Cast) -> None:
    raw = _run("create_api_key", "--org", "acme", "--name", "bench")["key"]
    again = _run("create_api_key", "--org", "acme", "--name", "bench", "--scopes", "messages:read, contacts:read")
    key = authenticate_key(raw)
    assert key is not None
    assert key.organization == cast.organization
    assert raw not in str(ApiKey.objects.values())
    narrow = authenticate_key(again["key"])
    assert narrow is not None
    assert narrow.scopes == ["messages:read", "contacts:read"]


def test_create_api_key_refuses(cast: Cast) -> None:
    assert _refused("create_api_key", "--org", "nowhere", "--name", "x") == "unknown_organization"
    assert _refused("create_api_key", "--org", "acme", "--name", "x", "--scopes", "all") == "unknown_scope"
    assert _refused("create_api_key", "--org", "acme", "--name", " ") == "no_name"
    with pytest.raises(CommandError, match="no organization"):
        call_command("create_api_key", "--org", "nowhere", "--name", "x", stdout=io.StringIO())


def test_wrong_options_are_a_problem_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        CreateOrg().run_from_argv(["manage.py", "create_org", "--name", "Cedar", "--json"])
    assert left.value.code == 1
    assert json.loads(capsys.readouterr().out)["code"] == "bad_arguments"
