"""Who may enter the simulated Twilio, and what each kind of credentials may do."""

import pytest
import requests

from integrations.sandbox.credentials import derive_test_credentials
from tests.plugins.sandbox import SandboxApi, SandboxServer


def test_key_and_token_both_open_the_account(api: SandboxApi, owner_api: SandboxApi) -> None:
    path = f"/v1/Services/{api.credentials.messaging_service_sid}"
    for caller in (api, owner_api):
        answer = caller.call("GET", "messaging", path)
        assert answer.status_code == 200
        assert answer.json()["account_sid"] == api.credentials.account_sid


def test_restarted_sandbox_finds_the_account_by_its_key_alone(sandbox: SandboxServer, api: SandboxApi) -> None:
    sandbox.reset()  # as good as a new process: nothing is remembered
    answer = api.call("GET", "verify", f"/v2/Services/{api.credentials.verify_service_sid}")
    assert answer.json()["account_sid"] == api.credentials.account_sid


@pytest.mark.parametrize(
    "auth",
    [None, ("AC" + "0" * 32, "x"), ("SK" + "0" * 32, "x"), ("", ""), ("ü", "ü")],
    ids=["none", "foreign account", "foreign key", "empty", "not ascii"],
)
def test_foreign_credentials_are_refused(sandbox: SandboxServer, auth: tuple[str, str] | None) -> None:
    encoded = None if auth is None else (auth[0].encode(), auth[1].encode())
    answer = requests.get(f"{sandbox.url}/messaging.twilio.com/v1/Services", auth=encoded, timeout=5)
    assert answer.status_code == 401
    assert answer.json()["code"] == 20003


def test_wrong_secrets_are_refused(sandbox: SandboxServer, api: SandboxApi, owner_api: SandboxApi) -> None:
    for caller in (api, owner_api):
        caller.auth = (caller.auth[0], caller.auth[1][:-1] + "z")
        assert caller.call("GET", "messaging", "/v1/Services").json()["code"] == 20003


def test_standard_key_may_not_see_the_account_but_a_main_key_may(sandbox: SandboxServer, api: SandboxApi) -> None:
    refused = api.account("GET", ".json")
    assert (refused.status_code, refused.json()["code"]) == (401, 20003)
    assert api.account("GET", "/Keys.json").json()["code"] == 20003
    sandbox.control.change_account(api.credentials.account_sid, is_key_main=True)
    assert api.account("GET", ".json").status_code == 200


def test_other_accounts_do_not_exist(sandbox: SandboxServer, api: SandboxApi) -> None:
    other = sandbox.new_account()
    foreign = sandbox.api(other)
    assert foreign.send().status_code == 201
    service = api.call("GET", "messaging", f"/v1/Services/{other.messaging_service_sid}")
    assert (service.status_code, service.json()["code"]) == (404, 20404)
    assert api.call("GET", "verify", f"/v2/Services/{other.verify_service_sid}").json()["code"] == 20404
    messages = api.call("GET", "api", f"/2010-04-01/Accounts/{other.account_sid}/Messages.json")
    assert (messages.status_code, messages.json()["code"]) == (401, 20003)
    assert api.send(MessagingServiceSid=other.messaging_service_sid).json()["code"] == 21701


def test_suspended_account_can_be_seen_and_nothing_else(sandbox: SandboxServer, owner_api: SandboxApi) -> None:
    sandbox.control.change_account(owner_api.credentials.account_sid, status="suspended")
    refused = owner_api.send()
    assert (refused.status_code, refused.json()["code"]) == (403, 10001)
    assert owner_api.account("GET", ".json").json()["status"] == "suspended"


def test_rotated_token_replaces_the_old_one(sandbox: SandboxServer, owner_api: SandboxApi) -> None:
    assert owner_api.account("GET", ".json").status_code == 200
    sandbox.control.change_account(owner_api.credentials.account_sid, token_generation=1)
    assert owner_api.account("GET", ".json").json()["code"] == 20003
    key = sandbox.api(owner_api.credentials)
    assert key.send().status_code == 201


def test_revoked_key_is_refused_although_it_was_good_before(sandbox: SandboxServer, api: SandboxApi) -> None:
    assert api.send().status_code == 201
    sandbox.control.change_account(api.credentials.account_sid, is_key_revoked=True)
    assert api.send().json()["code"] == 20003


def test_parent_token_acts_for_its_subaccount(sandbox: SandboxServer, owner_api: SandboxApi) -> None:
    child = sandbox.new_account()
    path = f"/2010-04-01/Accounts/{child.account_sid}/Messages.json"
    assert owner_api.call("GET", "api", path).json()["code"] == 20003
    sandbox.control.change_account(child.account_sid, owner_account_sid=owner_api.credentials.account_sid)
    assert owner_api.call("GET", "api", path).status_code == 200
    balance = sandbox.api(child).account("GET", "/Balance.json")
    assert (balance.status_code, balance.json()["code"]) == (404, 20404)


# ---- test credentials


@pytest.fixture
def test_api(sandbox: SandboxServer, api: SandboxApi) -> SandboxApi:
    test = derive_test_credentials(sandbox.secret, api.credentials.account_sid)
    return SandboxApi(sandbox.url, test, (test.account_sid, test.auth_token))  # type: ignore[arg-type]


def test_test_credentials_open_nothing_but_messages(test_api: SandboxApi) -> None:
    for answer in (
        test_api.account("GET", ".json"),
        test_api.account("GET", "/Messages.json"),
        test_api.call("GET", "messaging", "/v1/Services"),
        test_api.call("GET", "verify", "/v2/Services"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, 20008)


@pytest.mark.parametrize(
    ("field", "number", "code"),
    [
        ("From", "+15005550001", 21212),
        ("From", "+15005550007", 21606),
        ("From", "+15005550008", 21611),
        ("From", "+12025550199", 21606),
        ("To", "+15005550001", 21211),
        ("To", "+15005550002", 21612),
        ("To", "+15005550003", 21408),
        ("To", "+15005550004", 21610),
        ("To", "+15005550009", 21614),
        ("To", "+1", 21211),
    ],
)
def test_magic_numbers_give_their_errors(test_api: SandboxApi, field: str, number: str, code: int) -> None:
    form = {"From": "+15005550006", "To": "+4915112345678", "Body": "x"} | {field: number}
    answer = test_api.account("POST", "/Messages.json", data=form)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_test_message_is_answered_but_neither_stored_nor_called_back(
    sandbox: SandboxServer, test_api: SandboxApi
) -> None:
    form = {"From": "+15005550006", "To": "+15005550010", "Body": "x", "StatusCallback": "http://127.0.0.1:9/x"}
    answer = test_api.account("POST", "/Messages.json", data=form)
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    stats = sandbox.control.stats()
    assert (stats["stored"], stats["timers"], stats["webhooks"]) == (0, 0, {})


def test_test_credentials_cannot_use_a_messaging_service(test_api: SandboxApi, api: SandboxApi) -> None:
    form = {"MessagingServiceSid": api.credentials.messaging_service_sid, "To": "+15005550006", "Body": "x"}
    assert test_api.account("POST", "/Messages.json", data=form).json()["code"] == 21606


def test_what_is_not_simulated_says_so(api: SandboxApi) -> None:
    for answer in (api.account("POST", "/Calls.json"), api.call("POST", "content", "/v1/Content")):
        assert (answer.status_code, answer.json()["code"]) == (501, 20501)
    unknown = api.call("GET", "voice", "/v1/DialingPermissions/Countries")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)
