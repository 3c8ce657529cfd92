"""Credentials are opened for their own connection only, and loudly refused where they cannot be."""

import uuid
from typing import Any

import pytest
from cryptography.fernet import Fernet

from integrations.connections.credentials import (
    NOT_CONNECTED,
    SECRET_UNREADABLE,
    ConnectionUnusable,
    callback_base,
    credentials_of,
    hook_signature,
    live_tokens,
    verify_hook_signature,
)
from integrations.connections.hook_keys import find_by_hook_key
from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection, usable_connection
from tests.conftest import Cast

from .conftest import saved_connection
from .fake_twilio import ACCOUNT, KEY, SECRET, TOKEN


def test_api_key_and_auth_token_give_different_users(cast: Cast) -> None:
    by_key = saved_connection(
        organization=cast.organization, auth="api_key", account_sid=ACCOUNT, api_key_sid=KEY, api_key_secret=SECRET
    )
    opened = credentials_of(by_key)
    assert (opened.username, opened.password, opened.account_sid) == (KEY, SECRET, ACCOUNT)
    by_token = saved_connection(organization=cast.organization, account_sid=ACCOUNT, auth_token=TOKEN, is_default=False)
    assert credentials_of(by_token).username == ACCOUNT
    assert SECRET not in repr(opened)


def test_sandbox_goes_to_the_sandbox_and_live_to_twilio(cast: Cast, settings: Any) -> None:
    settings.SANDBOX_URL, settings.TWILIO_BASE_URL = "http://sandbox", ""
    sandbox = saved_connection(organization=cast.organization, mode="sandbox", is_default=False)
    live = saved_connection(organization=cast.organization)
    assert credentials_of(sandbox).base_url == "http://sandbox"
    assert credentials_of(live).base_url == ""
    settings.TWILIO_BASE_URL = "http://lookalike"
    assert credentials_of(live).base_url == "http://lookalike"
    assert credentials_of(sandbox).base_url == "http://sandbox"


def test_secret_without_its_key_fails_for_this_organization_only(cast: Cast, settings: Any) -> None:
    mine = saved_connection(organization=cast.organization, auth_token=TOKEN)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    theirs = saved_connection(organization=cast.other, auth_token=TOKEN)
    mine.refresh_from_db()
    for use in (credentials_of, live_tokens):
        with pytest.raises(ConnectionUnusable) as refused:
            use(mine)
        assert refused.value.code == SECRET_UNREADABLE
        assert TOKEN not in refused.value.detail
    assert credentials_of(theirs).password == TOKEN


def test_live_tokens_are_all_that_may_sign(cast: Cast) -> None:
    connection = saved_connection(
        organization=cast.organization, auth_token=TOKEN, signing_token_secondary="1" * 32, signing_token=TOKEN
    )
    assert live_tokens(connection) == [TOKEN, "1" * 32]
    key = saved_connection(
        organization=cast.organization, auth="api_key", api_key_secret=SECRET, auth_token="", is_default=False
    )
    assert live_tokens(key) == []


@pytest.mark.parametrize(
    ("mode", "public", "lookalike", "expected"),
    [
        ("live", "https://sms.acme.com", "", "https://sms.acme.com"),
        ("live", "http://127.0.0.1:8000", "", None),
        ("live", "http://127.0.0.1:8000", "http://127.0.0.1:9", "http://127.0.0.1:8000"),
        ("live", "https://my_host.acme.com", "", None),
        ("sandbox", "http://127.0.0.1:8000", "", "http://127.0.0.1:8000"),
        ("test", "https://sms.acme.com", "", None),
        ("test", "https://sms.acme.com", "http://127.0.0.1:9", None),
    ],
)
def test_callback_base(mode: str, public: str, lookalike: str, expected: str | None, settings: Any) -> None:
    settings.PUBLIC_BASE_URL, settings.TWILIO_BASE_URL = public, lookalike
    assert callback_base(Connection(mode=mode)) == expected


def test_own_signature_holds_for_its_address_only(cast: Cast) -> None:
    connection = saved_connection(organization=cast.organization)
    other = saved_connection(organization=cast.other, hook_secret="another")
    signature = hook_signature(connection, "/hooks/a")
    assert verify_hook_signature(connection, "/hooks/a", signature)
    for given in (None, "", "é", signature.upper(), signature[:-1], hook_signature(other, "/hooks/a")):
        assert not verify_hook_signature(connection, "/hooks/a", given)
    assert not verify_hook_signature(connection, "/hooks/b", signature)


def test_disconnected_connection_believes_nobody(cast: Cast) -> None:
    connection = saved_connection(organization=cast.organization, hook_secret="", auth_token="")
    assert not verify_hook_signature(connection, "/hooks/a", "0" * 64)
    with pytest.raises(ConnectionUnusable) as refused:
        credentials_of(connection)
    assert refused.value.code == NOT_CONNECTED


def test_only_a_working_connection_of_the_organization_is_usable(cast: Cast) -> None:
    connection = saved_connection(organization=cast.organization)
    assert usable_connection(cast.organization) == connection
    assert usable_connection(cast.organization, connection.pk) == connection
    for organization, pk in ((cast.other, connection.pk), (cast.other, None), (cast.organization, uuid.uuid4())):
        with pytest.raises(ConnectionUnusable) as refused:
            usable_connection(organization, pk)
        assert refused.value.code == "not_connected"
    Connection.objects.update(status="broken", broken_code=20003)
    with pytest.raises(ConnectionUnusable) as refused:
        usable_connection(cast.organization)
    assert refused.value.code == "connection_broken"
    assert "20003" in refused.value.detail
    assert default_connection(cast.organization) == connection


def test_hook_key_finds_its_connection(connection: Connection) -> None:
    assert find_by_hook_key(connection.hook_key) == connection
    assert find_by_hook_key("nobody") is None
