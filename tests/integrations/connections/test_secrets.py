"""Secrets stay secret: not in pages, logs, the audit log, the admin, exceptions or exports."""

import logging

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError

from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.models import Connection
from integrations.connections.rekeying import secret_fields
from integrations.encryption import Secret, SecretUnreadable
from integrations.organizations.models import AuditEntry
from tests.conftest import Cast

from .conftest import saved_connection
from .fake_twilio import ACCOUNT, FakeTwilio
from .test_connect_page import CONNECT, SECRET, TOKEN, key_fields

HOOK = "the-key-of-our-own-signatures"


@pytest.fixture
def guarded(cast: Cast) -> Connection:
    return saved_connection(
        organization=cast.organization,
        auth="api_key",
        account_sid=ACCOUNT,
        api_key_secret=SECRET,
        auth_token="",
        signing_token=TOKEN,
        hook_secret=HOOK,
    )


def leaks(text: str) -> list[str]:
    return [secret for secret in (SECRET, TOKEN, HOOK) if secret in text]


def test_pages_show_none(cast: Cast, guarded: Connection, twilio: FakeTwilio) -> None:
    client = cast.client("owner")
    base = f"integration/twilio/{guarded.pk}/"
    for path in ("integration/", base, *(base + rest for rest in ("settings/", "rotate/", "webhook-tokens/"))):
        page = client.get(cast.url(path)).content.decode()
        assert not leaks(page), path
        for field in ("api_key_secret", "signing_token", "hook_secret"):
            assert getattr(guarded, field).token not in page


def test_failed_and_successful_connects_leak_none(
    cast: Cast, twilio: FakeTwilio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client, fields = cast.client("owner"), key_fields(signing_token=TOKEN)
    twilio.answers["list_senders"] = []
    failed = client.post(cast.url(CONNECT), fields).content.decode()
    twilio.answers.update(FakeTwilio().answers)
    shown = client.post(cast.url(CONNECT), fields, follow=True).content.decode()
    assert Connection.objects.exists()
    assert not leaks(failed + shown)
    assert not leaks(caplog.text)
    entries = " ".join(str(entry.changes) for entry in AuditEntry.objects.all())
    assert "api_key_sid" in entries
    assert not leaks(entries)


def test_export_is_refused(guarded: Connection) -> None:
    for kind in ("json", "xml"):
        with pytest.raises(FieldError):
            serializers.serialize(kind, [guarded])


def test_admin_shows_none(cast: Cast, guarded: Connection) -> None:
    client = cast.client("owner")
    for path in ("admin/integrations/connection/", f"admin/integrations/connection/{guarded.pk}/change/"):
        answer = client.get(cast.url(path))
        if answer.status_code == 404:
            pytest.skip("integrations/admin.py does not import the room's admin yet")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert not leaks(page)
        assert guarded.api_key_secret.token not in page
    assert cast.client("agent").get(cast.url("admin/integrations/connection/")).status_code in (403, 404)


def test_printing_shows_none(guarded: Connection) -> None:
    words = repr(guarded) + str(guarded) + repr(guarded.__dict__) + repr(credentials_of(guarded))
    assert not leaks(words)
    assert repr(Secret("")) == "Secret(empty)"


def test_undecryptable_secret_raises_and_says_nothing(guarded: Connection, settings: object) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]  # type: ignore[attr-defined]
    with pytest.raises(SecretUnreadable) as lost:
        guarded.api_key_secret.reveal()
    with pytest.raises(ConnectionUnusable) as refused:
        credentials_of(guarded)
    for error in (lost.value, refused.value):
        assert not leaks(str(error))
        assert guarded.api_key_secret.token not in str(error)


@pytest.mark.parametrize("lookup", ["", "__contains", "__in", "__isnull", "__startswith", "__gt"])
def test_secrets_cannot_be_searched(db: None, lookup: str) -> None:
    with pytest.raises(FieldError):
        Connection.objects.filter(**{f"api_key_secret{lookup}": ["x"] if lookup == "__in" else "x"}).exists()


def test_database_holds_ciphertext_only(guarded: Connection) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM integrations_connection c")
        [(row,)] = cursor.fetchall()
    assert not leaks(row)


def test_every_secret_of_the_model_is_a_secret_field() -> None:
    assert {name for model, name in secret_fields() if model is Connection} == {
        "api_key_secret",
        "auth_token",
        "signing_token",
        "signing_token_secondary",
        "hook_secret",
    }
