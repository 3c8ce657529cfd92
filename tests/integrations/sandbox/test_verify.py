"""Verify: one verification from its start to each of its ends."""

import pytest
import requests

from tests.plugins.sandbox import SandboxApi, SandboxServer

PHONE = "+4915112345678"


class Verify:
    """The account's Verify Service."""

    def __init__(self, sandbox: SandboxServer, api: SandboxApi) -> None:
        self.sandbox, self.api = sandbox, api
        self.path = f"/v2/Services/{api.credentials.verify_service_sid}"

    def start(self, to: str = PHONE, channel: str = "sms", **more: str) -> requests.Response:
        form = {"To": to, "Channel": channel, **more}
        return self.api.call("POST", "verify", self.path + "/Verifications", data=form)

    def check(self, code: str, to: str = PHONE, **more: str) -> requests.Response:
        form = {"Code": code, "To": to, **more}
        return self.api.call("POST", "verify", self.path + "/VerificationCheck", data=form)

    def update(self, sid: str, status: str) -> requests.Response:
        return self.api.call("POST", "verify", f"{self.path}/Verifications/{sid}", data={"Status": status})

    def fetch(self, sid: str) -> requests.Response:
        return self.api.call("GET", "verify", f"{self.path}/Verifications/{sid}")

    def code(self, to: str = PHONE) -> str:
        conversation = self.sandbox.control.phone(self.api.credentials.account_sid, to)
        return str(conversation["messages"][-1]["code"])

    def wrong_code(self) -> str:
        return "000000" if self.code() != "000000" else "111111"


@pytest.fixture
def verify(sandbox: SandboxServer, api: SandboxApi) -> Verify:
    return Verify(sandbox, api)


def test_right_code_approves_once(verify: Verify) -> None:
    started = verify.start()
    assert started.status_code == 201
    body = started.json()
    assert (body["status"], body["valid"], body["to"], body["channel"]) == ("pending", False, PHONE, "sms")
    assert body["send_code_attempts"][0]["channel"] == "SMS"
    code = verify.code()
    assert len(code) == 6
    assert code not in started.text
    checked = verify.check(code).json()
    assert (checked["status"], checked["valid"], checked["sid"]) == ("approved", True, body["sid"])
    again = verify.check(code)
    assert (again.status_code, again.json()["code"]) == (404, 20404)
    assert verify.fetch(body["sid"]).json()["status"] == "approved"


def test_wrong_code_is_a_good_answer(verify: Verify) -> None:
    verify.start()
    checked = verify.check(verify.wrong_code())
    assert checked.status_code == 200
    assert (checked.json()["status"], checked.json()["valid"]) == ("pending", False)
    assert verify.check(verify.code()).json()["valid"] is True


def test_sending_again_keeps_sid_and_code_up_to_five_times(verify: Verify) -> None:
    first = verify.start().json()
    code = verify.code()
    for sends in range(2, 6):
        again = verify.start(channel="call").json()
        assert again["sid"] == first["sid"]
        assert len(again["send_code_attempts"]) == sends
        assert verify.code() == code
    refused = verify.start()
    assert (refused.status_code, refused.json()["code"]) == (429, 60203)
    assert verify.check(code).json()["valid"] is True
    assert verify.start().json()["sid"] != first["sid"]


def test_sixth_check_is_refused_with_60202(verify: Verify) -> None:
    sid = verify.start().json()["sid"]
    for _ in range(5):
        assert verify.check(verify.wrong_code()).json()["valid"] is False
    refused = verify.check(verify.code())
    assert (refused.status_code, refused.json()["code"]) == (429, 60202)
    assert verify.fetch(sid).json()["status"] == "max_attempts_reached"
    assert verify.start().json()["code"] == 60202
    assert verify.update(sid, "canceled").status_code == 200
    assert verify.start().status_code == 201


def test_sixth_check_can_be_404_by_dial(verify: Verify) -> None:
    verify.sandbox.control.change_dials({"verify": {"exhausted": "20404"}})
    sid = verify.start().json()["sid"]
    for _ in range(5):
        verify.check(verify.wrong_code())
    refused = verify.check(verify.code())
    assert (refused.status_code, refused.json()["code"]) == (404, 20404)
    assert verify.start().json()["sid"] != sid


def test_code_expires_after_ten_minutes(verify: Verify) -> None:
    sid = verify.start().json()["sid"]
    code = verify.code()
    verify.sandbox.control.advance_clock(590)
    assert verify.fetch(sid).json()["status"] == "pending"
    verify.sandbox.control.advance_clock(11)
    assert verify.check(code).json()["code"] == 20404
    assert verify.fetch(sid).json()["status"] == "expired"
    assert verify.start().json()["sid"] != sid


def test_canceled_verification_is_over_but_visible(verify: Verify) -> None:
    sid = verify.start().json()["sid"]
    assert verify.update(sid, "canceled").json()["status"] == "canceled"
    assert verify.check(verify.code()).status_code == 404
    assert verify.fetch(sid).json()["status"] == "canceled"
    assert verify.update(sid, "approved").status_code == 404
    assert verify.update(sid, "done").json()["code"] == 60200


def test_check_by_sid(verify: Verify) -> None:
    sid = verify.start().json()["sid"]
    assert verify.check(verify.code(), to="", VerificationSid="VE" + "0" * 32).status_code == 404
    assert verify.check(verify.code(), to="", VerificationSid=sid).json()["valid"] is True


def test_incomplete_checks_are_refused(verify: Verify) -> None:
    assert verify.check("123456", to="").json()["code"] == 60221
    assert verify.check("").json()["code"] == 60200
    assert verify.check("123456").status_code == 404


@pytest.mark.parametrize(
    ("to", "channel", "status", "code"),
    [
        ("123", "sms", 400, 60200),
        (PHONE, "voice", 400, 60200),
        (PHONE, "email", 400, 60217),
        (PHONE, "whatsapp", 400, 60223),
        ("+8613800138000", "sms", 400, 60220),
        ("+989121234567", "sms", 403, 60605),
        ("+12025550160", "sms", 403, 60410),
    ],
)
def test_start_is_refused(verify: Verify, to: str, channel: str, status: int, code: int) -> None:
    refused = verify.start(to, channel)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


@pytest.mark.parametrize("to", ["+85251234567", "+85366123456", "+886912345678"])
def test_hong_kong_macau_and_taiwan_are_not_mainland_china(verify: Verify, to: str) -> None:
    assert verify.start(to).status_code == 201


def test_vetted_account_may_send_to_china(verify: Verify) -> None:
    verify.sandbox.control.change_account(verify.api.credentials.account_sid, is_china_vetted=True)
    assert verify.start("+8613800138000").status_code == 201


def test_starts_close_together_are_refused_by_dial(verify: Verify) -> None:
    verify.sandbox.control.change_dials({"verify": {"min_interval_ms": 60_000}})
    assert verify.start().status_code == 201
    refused = verify.start()
    assert (refused.status_code, refused.json()["code"]) == (429, 60212)
    verify.sandbox.control.advance_clock(61)
    assert verify.start().status_code == 201


def test_own_service_with_longer_codes_and_custom_codes(verify: Verify) -> None:
    api = verify.api
    made = api.call("POST", "verify", "/v2/Services", data={"FriendlyName": "Northwind", "CodeLength": "8"})
    assert made.status_code == 201
    verify.path = f"/v2/Services/{made.json()['sid']}"
    assert verify.start(CustomCode="1234").json()["code"] == 60204
    verify.start()
    assert len(verify.code()) == 8
    assert "Northwind" in verify.sandbox.control.phone(api.credentials.account_sid, PHONE)["messages"][-1]["body"]
    api.call("POST", "verify", verify.path, data={"CustomCodeEnabled": "true"})
    assert verify.start(to="+4915112345679", CustomCode="987654").status_code == 201
    assert verify.check("987654", to="+4915112345679").json()["valid"] is True


@pytest.mark.parametrize(
    "form", [{}, {"FriendlyName": "x" * 33}, {"FriendlyName": "call 12345"}, {"FriendlyName": "a", "CodeLength": "3"}]
)
def test_bad_services_are_refused(api: SandboxApi, form: dict[str, str]) -> None:
    assert api.call("POST", "verify", "/v2/Services", data=form).json()["code"] == 60200


def test_landline_is_refused_where_the_service_looks(verify: Verify) -> None:
    flags = {"LookupEnabled": "true", "SkipSmsToLandlines": "true"}
    verify.api.call("POST", "verify", verify.path, data=flags)
    refused = verify.start("+493012345678")
    assert (refused.status_code, refused.json()["code"]) == (403, 60205)
    assert verify.start("+493012345678", "call").status_code == 201
