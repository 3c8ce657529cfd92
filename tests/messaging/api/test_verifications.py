"""Verifications by API: start, look, resend, check, cancel; refusals with their codes; a stranger; a second run."""

import uuid
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.twilio.errors import TwilioRefused
from messaging.verification import limits, twilio_verify
from messaging.verification.limits import LimitReached
from messaging.verification.models import Verification
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import offer_platform_sms
from tests.messaging.verification.conftest import SERVICE, FakeVerify, own_code_of, wrong

from .conftest import Caller, field_of, problem_of

PHONE = "+4915112345678"


def test_from_the_code_to_the_approval(api: Caller, connection: Connection) -> None:
    made = api.post("verifications", {"to": "0151 12345678", "locale": "de"})
    assert made.status_code == 201
    told = made.json()
    assert made["Location"] == f"/api/v1/verifications/{told['id']}"
    assert (told["to"], told["status"], told["route"], told["channel"]) == (PHONE, "pending", "twilio", "sms")
    assert told["expires_at"] > told["resend_after"] > told["created_at"]
    assert (told["attempts_left"], told["channels"], told["error"]) == (5, ["sms"], None)
    assert api.get(f"verifications/{told['id']}").json() == told
    code = own_code_of()
    assert code not in made.content.decode()

    missed = api.post(f"verifications/{told['id']}/check", {"code": wrong(code)})
    assert (missed.status_code, missed.json()) == (200, {"status": "pending", "attempts_left": 4})
    hit = api.post(f"verifications/{told['id']}/check", {"code": f"{code[:3]} {code[3:]}"})
    assert (hit.status_code, hit.json()) == (200, {"status": "approved", "attempts_left": 0})
    again = api.post(f"verifications/{told['id']}/check", {"code": code})
    assert (again.status_code, again.json()) == (200, {"status": "expired", "attempts_left": 0})
    now = api.get(f"verifications/{told['id']}").json()
    assert now["status"] == "approved" and now["approved_at"]
    problem_of(api.post(f"verifications/{told['id']}/cancel"), 409, "verification_ended")


def test_the_key_is_who_asked(api: Caller, connection: Connection) -> None:
    api.post("verifications", {"to": PHONE})
    verification = Verification.objects.get()
    assert (verification.asker_kind, verification.network) == ("api", "")
    assert verification.asker_id is not None


def test_canceled_twice_is_canceled(api: Caller, connection: Connection) -> None:
    path = f"verifications/{api.post('verifications', {'to': PHONE}).json()['id']}"
    for _ in range(2):
        answer = api.post(f"{path}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert api.post(f"{path}/check", {"code": own_code_of()}).json() == {"status": "canceled", "attempts_left": 0}
    problem_of(api.post(f"{path}/resend"), 409, "verification_ended")


@pytest.mark.parametrize("body", [None, {}, {"channel": "sms"}, {"channel": None}])
def test_another_code_has_to_wait(api: Caller, connection: Connection, body: Any) -> None:
    path = f"verifications/{api.post('verifications', {'to': PHONE}).json()['id']}"
    answer = api.post(f"{path}/resend", body)
    problem = problem_of(answer, 429, "verification_limited")
    assert problem["limit"] == "resend_too_early" and 25 <= int(answer["Retry-After"]) <= 30
    Verification.objects.update(resend_after="2026-01-01T00:00:00Z")
    assert api.post(f"{path}/resend", body).json()["sends"] == 2


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "to", "required"),
        ({"to": "12"}, "to", "too_short"),
        ({"to": ""}, "to", "empty"),
        ({"to": PHONE, "channel": "pigeon"}, "channel", "not_a_choice"),
        ({"to": PHONE, "channel": "call"}, "channel", "channel_closed"),
        ({"to": PHONE, "channel": "email"}, "to", "bad_email"),
        ({"to": PHONE, "locale": "x" * 13}, "locale", "too_long"),
        ({"to": PHONE, "language": "de"}, "language", "unknown_field"),
    ],
)
def test_bad_input_names_its_field(api: Caller, connection: Connection, body: Any, field: str, code: str) -> None:
    assert field_of(api.post("verifications", body)) == (field, code)
    assert not Verification.objects.exists()


def test_what_is_no_code_names_the_field(api: Caller, connection: Connection) -> None:
    path = f"verifications/{api.post('verifications', {'to': PHONE}).json()['id']}"
    assert field_of(api.post(f"{path}/check", {"code": "abc"})) == ("code", "bad_code")
    assert field_of(api.post(f"{path}/check", {})) == ("code", "required")


def test_a_broken_connection_is_a_409(api: Caller, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization, status="broken", broken_code=20003)
    problem_of(api.post("verifications", {"to": PHONE}), 409, "connection_broken")
    assert not Verification.objects.exists()


def test_without_a_connection_nothing_is_stored(api: Caller) -> None:
    answer = api.post("verifications", {"to": PHONE})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")
    assert not Verification.objects.exists()


def test_too_few_credits_are_402(api: Caller, cast: Cast) -> None:
    offer_platform_sms(cast)
    answer = api.post("verifications", {"to": PHONE})
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_credits")
    assert not Verification.objects.exists()


@pytest.mark.parametrize(
    ("code", "status", "answer"),
    [
        (60410, 409, "verification_refused"),
        (60605, 409, "verification_refused"),
        (60203, 429, "verification_limited"),
        (60212, 429, "verification_limited"),
        (60205, 422, "validation_failed"),
    ],
)
def test_what_twilio_refuses(
    api: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch, code: int, status: int, answer: str
) -> None:
    ConnectionFactory(organization=cast.organization, verify_service_sid=SERVICE)
    fake = FakeVerify()
    fake.will("start_verification", TwilioRefused("no", code=code, http_status=status))
    monkeypatch.setattr(twilio_verify, "gateway_for", lambda credentials, timeout: fake)
    problem = problem_of(api.post("verifications", {"to": PHONE}), status, answer)
    assert str(code) in problem["detail"]
    kept = api.get(f"verifications/{problem['verification_id']}").json()
    assert (kept["status"], kept["error"]["code"]) == ("failed", str(code))


@pytest.mark.parametrize(("name", "wait"), [("resend", 25), ("day", 3600)])
def test_a_limit_is_a_429_that_names_itself(
    api: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch, name: str, wait: int
) -> None:
    def refuse(organization: object, **request: object) -> None:
        raise LimitReached(name, detail="Enough.", retry_after=wait)

    monkeypatch.setattr(limits, "admit", refuse)
    answer = api.post("verifications", {"to": PHONE})
    assert problem_of(answer, 429, "verification_limited")["limit"] == name
    assert answer["Retry-After"] == str(wait)
    assert not Verification.objects.exists()


def test_a_kind_of_number_that_gets_none_is_told_at_the_field(
    api: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(organization: object, **request: object) -> None:
        raise LimitReached("regions", detail="Not there.", retry_after=None)

    monkeypatch.setattr(limits, "admit", refuse)
    assert field_of(api.post("verifications", {"to": "+33612345678"})) == ("to", "regions")


def test_a_stranger_finds_nothing(api: Caller, stranger: Caller, connection: Connection) -> None:
    path = f"verifications/{api.post('verifications', {'to': PHONE}).json()['id']}"
    problem_of(stranger.get(path), 404, "not_found")
    for verb, body in (("resend", {}), ("check", {"code": own_code_of()}), ("cancel", None)):
        problem_of(stranger.post(f"{path}/{verb}", body), 404, "not_found")
    assert Verification.objects.get().status == "pending"
    problem_of(api.get(f"verifications/{uuid.uuid4()}"), 404, "not_found")
