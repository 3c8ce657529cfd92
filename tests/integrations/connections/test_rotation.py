"""New secrets replace old ones only once Twilio accepts them."""

from typing import Any

import pytest
from cryptography.fernet import Fernet

from integrations.connections.credentials import credentials_of, live_tokens
from integrations.connections.models import Connection
from integrations.connections.rotation import ConnectionChanged, NewSecrets, rotate
from integrations.organizations.models import AuditEntry
from integrations.twilio.errors import TwilioUnreachable
from tests.conftest import Cast

from .conftest import saved_connection
from .fake_twilio import ACCOUNT, KEY, MG, SECRET, TOKEN, FakeTwilio, messaging_service, refused

NEW_KEY, NEW_SECRET, NEW_TOKEN = "SK" + "9" * 32, "AnotherSecretOfTwilio12345678901", "c0ffee00" * 4


@pytest.fixture
def by_key(cast: Cast) -> Connection:
    return saved_connection(
        organization=cast.organization,
        auth="api_key",
        account_sid=ACCOUNT,
        api_key_sid=KEY,
        api_key_secret=SECRET,
        auth_token="",
        messaging_service_sid=MG,
    )


@pytest.fixture
def by_token(cast: Cast) -> Connection:
    return saved_connection(
        organization=cast.organization, account_sid=ACCOUNT, auth_token=TOKEN, messaging_service_sid=MG
    )


def url(cast: Cast, connection: Connection, rest: str) -> str:
    return cast.url(f"integration/twilio/{connection.pk}/{rest}/")


def test_new_key_replaces_the_old_one(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    Connection.objects.update(status="broken", broken_code=20003)
    fields = {"api_key_sid": NEW_KEY, "api_key_secret": f" {NEW_SECRET}\n"}
    assert cast.client("admin").post(url(cast, by_key, "rotate"), fields).status_code == 302
    by_key.refresh_from_db()
    assert (credentials_of(by_key).username, credentials_of(by_key).password) == (NEW_KEY, NEW_SECRET)
    assert (by_key.status, by_key.credentials_version) == ("active", 2)
    entry = AuditEntry.objects.get(action="connection.rotated")
    assert entry.actor_label == "admin@acme.example"
    assert NEW_SECRET not in str(entry.changes)


def test_refused_key_changes_nothing(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    twilio.by_user[NEW_KEY] = dict.fromkeys(twilio.answers, refused(20003, 401))
    answer = cast.client("owner").post(
        url(cast, by_key, "rotate"), {"api_key_sid": NEW_KEY, "api_key_secret": NEW_SECRET}
    )
    by_key.refresh_from_db()
    assert answer.status_code == 422
    assert NEW_SECRET not in answer.content.decode()
    assert credentials_of(by_key).password == SECRET
    assert by_key.credentials_version == 1


def test_key_of_another_account_is_refused(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    twilio.answers["fetch_messaging_service"] = messaging_service(account_sid="AC" + "b" * 32)
    new = NewSecrets(api_key_sid=NEW_KEY, api_key_secret=NEW_SECRET)
    assert rotate(by_key, new=new, actor=cast.owner)
    by_key.refresh_from_db()
    assert by_key.api_key_sid == KEY


def test_unreachable_twilio_changes_nothing(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    twilio.everything(TwilioUnreachable("gone"))
    answer = cast.client("owner").post(
        url(cast, by_key, "rotate"), {"api_key_sid": NEW_KEY, "api_key_secret": NEW_SECRET}
    )
    assert answer.status_code == 422
    by_key.refresh_from_db()
    assert by_key.api_key_sid == KEY


def test_old_trouble_elsewhere_does_not_hinder_a_rotation(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    twilio.answers["list_senders"] = []
    assert not rotate(by_key, new=NewSecrets(api_key_sid=NEW_KEY, api_key_secret=NEW_SECRET), actor=cast.owner)
    by_key.refresh_from_db()
    assert by_key.api_key_sid == NEW_KEY


def test_old_token_goes_on_signing_until_it_is_removed(cast: Cast, by_token: Connection, twilio: FakeTwilio) -> None:
    client = cast.client("owner")
    client.post(url(cast, by_token, "rotate"), {"auth_token": NEW_TOKEN, "keep_old_for_webhooks": "on"})
    by_token.refresh_from_db()
    assert credentials_of(by_token).password == NEW_TOKEN
    assert live_tokens(by_token) == [NEW_TOKEN, TOKEN]
    client.post(url(cast, by_token, "webhook-tokens"), {"drop_signing_token_secondary": "on"})
    by_token.refresh_from_db()
    assert live_tokens(by_token) == [NEW_TOKEN]


def test_compromised_token_is_dropped_at_once(cast: Cast, by_token: Connection, twilio: FakeTwilio) -> None:
    cast.client("owner").post(url(cast, by_token, "rotate"), {"auth_token": NEW_TOKEN})
    by_token.refresh_from_db()
    assert live_tokens(by_token) == [NEW_TOKEN]


def test_signing_tokens_of_a_key(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    client = cast.client("owner")
    client.post(url(cast, by_key, "webhook-tokens"), {"signing_token": TOKEN})
    client.post(url(cast, by_key, "webhook-tokens"), {"signing_token_secondary": NEW_TOKEN})
    by_key.refresh_from_db()
    assert live_tokens(by_key) == [TOKEN, NEW_TOKEN]
    client.post(url(cast, by_key, "webhook-tokens"), {"drop_signing_token": "on"})
    by_key.refresh_from_db()
    assert live_tokens(by_key) == [NEW_TOKEN]
    assert credentials_of(by_key).password == SECRET


@pytest.mark.parametrize("field", ["signing_token", "signing_token_secondary"])
def test_foreign_signing_token_is_refused(cast: Cast, by_key: Connection, twilio: FakeTwilio, field: str) -> None:
    twilio.by_user[ACCOUNT] = {"fetch_account": refused(20003, 401)}
    answer = cast.client("owner").post(url(cast, by_key, "webhook-tokens"), {field: TOKEN})
    by_key.refresh_from_db()
    assert "not, or no longer, one of this account" in answer.context["form"].errors[field][0]
    assert live_tokens(by_key) == []


@pytest.mark.parametrize("fields", [{}, {"signing_token": "short"}])
def test_nothing_or_nonsense_is_refused(
    cast: Cast, by_key: Connection, twilio: FakeTwilio, fields: dict[str, str]
) -> None:
    assert cast.client("owner").post(url(cast, by_key, "webhook-tokens"), fields).status_code == 422
    assert not twilio.calls


def test_slower_of_two_rotations_loses(cast: Cast, by_key: Connection, twilio: FakeTwilio) -> None:
    def meanwhile(method: str) -> None:
        Connection.objects.update(credentials_version=7)

    twilio.before = meanwhile
    with pytest.raises(ConnectionChanged):
        rotate(by_key, new=NewSecrets(api_key_sid=NEW_KEY, api_key_secret=NEW_SECRET), actor=cast.owner)
    by_key.refresh_from_db()
    assert by_key.api_key_sid == KEY
    twilio.before = lambda method: None
    Connection.objects.update(credentials_version=1)


def test_lost_secret_is_repaired_by_entering_it_anew(
    cast: Cast, by_token: Connection, twilio: FakeTwilio, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    answer = cast.client("owner").post(
        url(cast, by_token, "rotate"), {"auth_token": NEW_TOKEN, "keep_old_for_webhooks": "on"}
    )
    assert answer.status_code == 302
    by_token.refresh_from_db()
    assert live_tokens(by_token) == [NEW_TOKEN]


def test_test_credentials_do_not_take_the_place_of_live_ones(
    cast: Cast, by_token: Connection, twilio: FakeTwilio
) -> None:
    Connection.objects.update(messaging_service_sid="", sender="+15005550006")
    by_token.refresh_from_db()
    twilio.everything(refused(20008, 403))
    twilio.answers["send_message"] = None
    obstacles = rotate(by_token, new=NewSecrets(auth_token=NEW_TOKEN), actor=cast.owner)
    assert "test credentials" in obstacles[0].text
    by_token.refresh_from_db()
    assert (by_token.mode, credentials_of(by_token).password) == ("live", TOKEN)
