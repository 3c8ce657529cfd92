"""The live check against the simulated Twilio: real requests, through the SDK."""

from typing import Any

import pytest

from integrations.connections.check import run_check
from integrations.connections.connecting import candidate
from integrations.connections.models import Connection
from integrations.connections.rechecking import recheck
from integrations.connections.sandbox import SandboxDisabled, connect_sandbox
from integrations.connections.webhooks import inbound_url
from integrations.organizations.models import Organization
from integrations.sandbox.credentials import derive_test_credentials
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer


def live(sandbox: SandboxServer, **changes: Any) -> Connection:
    """Return a live connection to the sandbox as a Twilio look-alike, as the four fields give it."""
    given = sandbox.new_account()
    values = {
        "api_key_sid": given.api_key_sid,
        "api_key_secret": given.api_key_secret,
        "messaging_service_sid": given.messaging_service_sid,
        "verify_service_sid": given.verify_service_sid,
    }
    return candidate(Organization(name="Acme"), auth="api_key", **{**values, **changes})


@pytest.fixture(autouse=True)
def _as_twilio(sandbox: SandboxServer, settings: Any) -> None:
    settings.TWILIO_BASE_URL = sandbox.url


def test_four_fields_are_enough(sandbox: SandboxServer) -> None:
    connection = live(sandbox)
    report = run_check(connection)
    assert report.is_good, report.problems
    assert report.account_sid.startswith("AC")


def test_wrong_secret(sandbox: SandboxServer) -> None:
    [wrong] = run_check(live(sandbox, api_key_secret="0" * 32)).problems
    assert (wrong.field, wrong.code) == ("api_key_secret", 20003)


def test_services_of_another_account(sandbox: SandboxServer) -> None:
    other = sandbox.new_account()
    [wrong] = run_check(live(sandbox, messaging_service_sid=other.messaging_service_sid)).problems
    assert wrong.field == "messaging_service_sid"
    [wrong] = run_check(live(sandbox, verify_service_sid=other.verify_service_sid)).problems
    assert wrong.field == "verify_service_sid"
    problems = run_check(live(sandbox, account_sid=other.account_sid)).problems
    assert problems[0].field == "account_sid"


def test_suspended_account_and_empty_pool(sandbox: SandboxServer) -> None:
    account = sandbox.new_account()
    connection = candidate(
        Organization(name="Acme"),
        auth="auth_token",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
    )
    assert run_check(connection).is_good
    sandbox.control.change_account(account.account_sid, status="suspended")
    assert run_check(connection).breaking is not None


def test_from_number_of_the_account(sandbox: SandboxServer) -> None:
    account = sandbox.new_account()
    connection = candidate(
        Organization(name="Acme"),
        auth="auth_token",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        sender=account.phone_number,
    )
    assert run_check(connection).is_good
    connection.sender = "+12065550199" if account.phone_number != "+12065550199" else "+12065550198"
    [wrong] = run_check(connection).problems
    assert wrong.field == "sender"


def test_test_credentials(sandbox: SandboxServer) -> None:
    account = sandbox.new_account()
    test = derive_test_credentials(sandbox.secret, account.account_sid)
    connection = candidate(
        Organization(name="Acme"),
        auth="auth_token",
        account_sid=test.account_sid,
        auth_token=test.auth_token,
        sender="+15005550006",
    )
    report = run_check(connection)
    assert report.is_good, report.problems
    assert report.mode == "test"


def test_one_click_sandbox_is_connected_and_hears_replies(cast: Cast, sandbox: SandboxServer) -> None:
    connection = connect_sandbox(cast.organization, actor=cast.owner)
    assert (connection.mode, connection.is_default, connection.status) == ("sandbox", True, "active")
    assert not [step for step in connection.check_report if step["level"] == "problem"]
    [service] = sandbox.control.account(connection.account_sid)["messaging_services"]
    assert service["inbound_request_url"] == inbound_url(Connection.objects.get(pk=connection.pk))


def test_restarted_sandbox_hears_again_after_a_check(cast: Cast, sandbox: SandboxServer) -> None:
    connection = Connection.objects.get(pk=connect_sandbox(cast.organization, actor=cast.owner).pk)
    sandbox.reset()
    assert recheck(connection, actor=cast.owner).is_good
    [service] = sandbox.control.account(connection.account_sid)["messaging_services"]
    assert service["inbound_request_url"] == inbound_url(connection)


def test_sandbox_that_is_down_is_connected_all_the_same(cast: Cast, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    connection = connect_sandbox(cast.organization, actor=cast.owner)
    assert connection.status == "active"
    assert connection.check_report[-1]["text"].startswith("The sandbox could not be reached")


def test_sandbox_that_is_off_is_refused(cast: Cast, settings: Any) -> None:
    settings.SANDBOX_ENABLED = False
    with pytest.raises(SandboxDisabled):
        connect_sandbox(cast.organization, actor=cast.owner)
    assert not Connection.objects.exists()


def test_broken_connection_recovers_by_a_check(cast: Cast, sandbox: SandboxServer) -> None:
    connection = Connection.objects.get(pk=connect_sandbox(cast.organization, actor=cast.owner).pk)
    sandbox.control.change_account(connection.account_sid, status="suspended")
    recheck(connection, actor=cast.owner)
    connection.refresh_from_db()
    assert connection.status == "broken"
    sandbox.control.change_account(connection.account_sid, status="active")
    recheck(connection, actor=cast.owner)
    connection.refresh_from_db()
    assert connection.status == "active"
