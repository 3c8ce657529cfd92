"""connect_twilio and rotate_credentials, as scripts call them."""

import json
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.fernet import Fernet
from django.core.management import call_command

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from integrations.twilio.errors import TwilioUnreachable
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer

from .conftest import saved_connection
from .fake_twilio import ACCOUNT, KEY, MG, SECRET, TOKEN, FakeTwilio, refused

BY_TOKEN = ["--org", "acme", "--account-sid", ACCOUNT, "--auth-token", TOKEN, "--messaging-service-sid", MG]
BY_KEY = ["--org", "acme", "--api-key-sid", KEY, "--api-key-secret", SECRET, "--messaging-service-sid", MG]


def run(*arguments: str, name: str = "connect_twilio") -> dict[str, Any]:
    out = StringIO()
    call_command(name, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def fails(*arguments: str, name: str = "connect_twilio") -> dict[str, Any]:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(name, *arguments, "--json", stdout=out)
    assert ended.value.code == 1
    return json.loads(out.getvalue())


def test_connects_and_prints_what_scripts_need(cast: Cast, twilio: FakeTwilio) -> None:
    printed = run(*BY_KEY, "--mps", "10", "--name", "Drill", "--signing-token", TOKEN)
    connection = Connection.objects.get()
    assert printed == {"id": str(connection.pk), "hook_key": connection.hook_key, "mode": "live"}
    assert (connection.name, str(connection.mps), connection.account_sid) == ("Drill", "10.00", ACCOUNT)
    assert connection.signing_token.reveal() == TOKEN
    assert "manage.py" in AuditEntry.objects.get(action="connection.connected").actor_label


def test_second_connection_becomes_the_default(cast: Cast, twilio: FakeTwilio) -> None:
    run(*BY_KEY)
    second = run(*BY_TOKEN)
    assert str(Connection.objects.get(is_default=True).pk) == second["id"]


def test_key_with_auth_token_beside_it_sends_with_the_key(cast: Cast, twilio: FakeTwilio) -> None:
    run(*BY_KEY, "--account-sid", ACCOUNT, "--auth-token", TOKEN)
    connection = Connection.objects.get()
    assert connection.auth == "api_key"
    assert connection.signing_token.reveal() == TOKEN
    assert not connection.auth_token


def test_look_alike_with_messages_only_is_enough(cast: Cast, twilio: FakeTwilio, settings: Any) -> None:
    settings.TWILIO_BASE_URL = "http://lookalike"
    twilio.everything(refused(None, 404))
    twilio.answers["list_messages"] = []
    run("--org", "acme", "--account-sid", ACCOUNT, "--auth-token", TOKEN, "--from", "+14155550123")
    assert Connection.objects.get().sender == "+14155550123"
    assert twilio.credentials[0].base_url == "http://lookalike"


@pytest.mark.parametrize(
    ("answer", "code"), [(refused(20003, 401), "check_failed"), (TwilioUnreachable("x"), "twilio_unreachable")]
)
def test_failed_check_saves_nothing(cast: Cast, twilio: FakeTwilio, answer: Exception, code: str) -> None:
    twilio.everything(answer)
    printed = fails(*BY_TOKEN)
    assert printed["code"] == code
    assert TOKEN not in printed["detail"]
    assert not Connection.objects.exists()
    run(*BY_TOKEN, "--no-check")
    assert Connection.objects.get().checked_at is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--org", "nobody", "--sandbox"], "unknown_organization"),
        (["--org", "acme"], "bad_arguments"),
        (["--org", "acme", "--api-key-sid", KEY], "bad_arguments"),
        (["--org", "acme", "--account-sid", "AC12", "--auth-token", TOKEN], "bad_arguments"),
        ([*BY_TOKEN[:-2]], "bad_arguments"),
        ([*BY_TOKEN[:-2], "--from", "TwelveLetters"], "bad_arguments"),
        ([*BY_TOKEN, "--mps", "fast"], "bad_arguments"),
        ([*BY_TOKEN, "--mps", "NaN"], "bad_arguments"),
    ],
)
def test_wrong_arguments_are_named(cast: Cast, twilio: FakeTwilio, arguments: list[str], code: str) -> None:
    assert fails(*arguments)["code"] == code
    assert not twilio.calls


def test_sandbox_in_one_line(cast: Cast, sandbox: SandboxServer) -> None:
    assert run("--org", "acme", "--sandbox")["mode"] == "sandbox"
    assert Connection.objects.get().is_default


def test_sandbox_that_is_off(cast: Cast, settings: Any) -> None:
    settings.SANDBOX_ENABLED = False
    assert fails("--org", "acme", "--sandbox")["code"] == "sandbox_disabled"


def test_secrets_move_to_the_newest_key(cast: Cast, settings: Any) -> None:
    connection = saved_connection(organization=cast.organization, auth_token=TOKEN, signing_token=SECRET)
    secret = generate_totp_secret()
    TOTP.activate(cast.owner, secret)
    old, new = list(settings.CREDENTIAL_KEYS), Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, *old]
    counts = run(name="rotate_credentials")
    assert counts["integrations.Connection.auth_token"] == 1
    assert counts["integrations.Connection.signing_token"] == 1
    assert counts["integrations.Connection.api_key_secret"] == 0
    assert counts["mfa.Authenticator"] == 1
    settings.CREDENTIAL_KEYS = [new]
    connection.refresh_from_db()
    assert (connection.auth_token.reveal(), connection.signing_token.reveal()) == (TOKEN, SECRET)
    from integrations.encryption import Secret

    assert Secret(Authenticator.objects.get().data["secret"]).reveal() == secret


def test_lost_key_is_named_and_nothing_is_damaged(cast: Cast, settings: Any) -> None:
    connection = saved_connection(organization=cast.organization, auth_token=TOKEN)
    old = list(settings.CREDENTIAL_KEYS)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    printed = fails(name="rotate_credentials")
    assert printed["code"] == "secret_unreadable"
    assert str(connection.pk) in printed["detail"]
    settings.CREDENTIAL_KEYS = old
    connection.refresh_from_db()
    assert connection.auth_token.reveal() == TOKEN
