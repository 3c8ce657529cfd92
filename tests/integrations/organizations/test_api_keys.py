"""API keys: seen once, recognised by their hash, stopped at once."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.organizations.api_keys import KeyRefused, authenticate_key, create_key, revoke_key
from integrations.organizations.models import ApiKey, AuditEntry
from integrations.organizations.operating import suspend
from integrations.organizations.problems import OrganizationProblem
from integrations.organizations.scopes import CONTACTS_READ, EVERYTHING, MESSAGES_WRITE, key_allows
from tests.conftest import Cast

SHAPE = re.compile(r"hg_[A-Za-z0-9]{8}_[A-Za-z0-9]{32,}")


def test_key_is_shown_once_and_kept_as_a_hash(cast: Cast) -> None:
    client = cast.client("admin")
    response = client.post(cast.url("api-keys/new/"), {"name": "Shop", "scopes": [MESSAGES_WRITE, CONTACTS_READ]})
    assert "no-store" in response["Cache-Control"]
    match = SHAPE.search(response.content.decode())
    assert match is not None
    raw = match.group()
    key = ApiKey.objects.get()
    assert raw.startswith(key.prefix)
    assert raw not in str(ApiKey.objects.values())
    assert raw not in str(AuditEntry.objects.values())
    assert raw not in str(dict(client.session))
    assert SHAPE.search(client.get(cast.url("api-keys/")).content.decode()) is None
    found = authenticate_key(raw)
    assert found == key
    assert key_allows(key, MESSAGES_WRITE)
    assert not key_allows(key, "messages:read")


def test_a_double_click_makes_one_key(cast: Cast) -> None:
    client = cast.client("owner")
    for _ in range(2):
        response = client.post(cast.url("api-keys/new/"), {"name": "Shop", "scopes": list(EVERYTHING)})
    assert "There is a live key" in response.content.decode()
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("scopes", [[], ["messages:everything"]])
def test_keys_without_known_scopes_are_refused(cast: Cast, scopes: list[str]) -> None:
    response = cast.client("owner").post(cast.url("api-keys/new/"), {"name": "Shop", "scopes": scopes})
    assert response.status_code == 200
    assert not ApiKey.objects.exists()
    with pytest.raises(OrganizationProblem):
        create_key(cast.organization, name="Shop", scopes=scopes, actor=cast.owner)


@pytest.mark.parametrize("raw", ["", "hg_", "hg_abcdefgh_" + "x" * 40, "Bearer", "hg_" + "y" * 5000])
def test_unknown_keys_are_nobody(cast: Cast, raw: str) -> None:
    assert authenticate_key(raw) is None


def test_revoked_key_and_suspended_organization_are_told_apart(cast: Cast) -> None:
    key, raw = create_key(cast.organization, name="a", actor=cast.owner)
    _, other = create_key(cast.organization, name="b", actor=cast.owner)
    page = cast.client("admin").get(cast.url(f"api-keys/{key.pk}/revoke/")).content.decode()
    assert "Revoke “a”" in page
    assert key.is_live
    assert cast.client("admin").post(cast.url(f"api-keys/{key.pk}/revoke/")).status_code == 302
    with pytest.raises(KeyRefused) as refused:
        authenticate_key(raw)
    assert refused.value.code == "key_revoked"
    suspend(cast.organization, reason="unpaid", actor=cast.operator)
    with pytest.raises(KeyRefused) as refused:
        authenticate_key(other)
    assert refused.value.code == "organization_suspended"
    assert not revoke_key(key, actor=cast.owner)  # a second time changes nothing
    assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1


def test_recognising_costs_one_query_and_a_note_each_minute(cast: Cast, django_assert_num_queries) -> None:
    _, raw = create_key(cast.organization, name="a", actor=cast.owner)
    with django_assert_num_queries(2):
        authenticate_key(raw)
    with django_assert_num_queries(1):
        key = authenticate_key(raw)
        assert key is not None
        assert key.organization.slug == "acme"
    first = ApiKey.objects.get().last_used_at
    with time_machine.travel(timezone.now() + timedelta(seconds=61)), django_assert_num_queries(2):
        authenticate_key(raw)
    assert ApiKey.objects.get().last_used_at > first


def test_list_asks_as_often_for_many_as_for_few(cast: Cast, django_assert_max_num_queries) -> None:
    for number in range(30):
        create_key(cast.organization, name=f"key {number}", actor=cast.owner)
    client = cast.client("owner")
    client.get(cast.url("api-keys/"))
    with django_assert_max_num_queries(11):
        page = client.get(cast.url("api-keys/"), {"q": "key 29"}).content.decode()
    assert "key 29" in page
    assert "key 28" not in page
