"""Verifications by API: start, look, resend, check, cancel; refusals with their codes; a stranger; a second run."""

import threading
import uuid
from typing import Any

import pytest
from django.db import connection as database

from integrations.connections.models import Connection
from integrations.twilio.errors import TwilioOutcomeUnknown, TwilioRefused
from messaging.sending.models import Message
from messaging.verification import limits, twilio_verify
from messaging.verification.limit_models import VerificationPolicy
from messaging.verification.limits import LimitReached
from messaging.verification.models import Verification
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import offer_platform_sms
from tests.messaging.verification.conftest import SERVICE, FakeVerify, own_code_of, snapshot, wrong

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
    # With 60203 the code that came last can still be checked.
    assert (kept["status"], kept["error"]["code"]) == ("pending" if code == 60203 else "failed", str(code))


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


class TestIdempotency:
    """The same key and body is the same verification."""

    KEY = {"Idempotency-Key": "sign-up-4711"}

    def test_a_repeated_request_sends_no_second_code(self, api: Caller, connection: Connection) -> None:
        first = api.post("verifications", {"to": PHONE, "locale": "de"}, **self.KEY)
        again = api.post("verifications", {"locale": "de", "to": PHONE}, **self.KEY)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json() and "Location" not in again
        assert (Verification.objects.count(), Message.objects.count()) == (1, 1)
        api.post(f"verifications/{first.json()['id']}/check", {"code": own_code_of()})
        assert api.post("verifications", {"to": PHONE, "locale": "de"}, **self.KEY).json()["status"] == "approved"
        assert api.post("verifications", {"to": PHONE, "locale": "de"}).status_code == 201, "without a key it is new"

    def test_a_repeated_request_is_held_to_no_limit(self, api: Caller, connection: Connection) -> None:
        VerificationPolicy.objects.create(organization=connection.organization, number=1)
        assert api.post("verifications", {"to": PHONE}, **self.KEY).status_code == 201
        assert api.post("verifications", {"to": PHONE}, **self.KEY).status_code == 200
        problem_of(api.post("verifications", {"to": PHONE}), 429, "verification_limited")

    def test_another_body_under_the_key_is_refused(self, api: Caller, connection: Connection) -> None:
        api.post("verifications", {"to": PHONE}, **self.KEY)
        problem_of(api.post("verifications", {"to": "+4915112345679"}, **self.KEY), 409, "idempotency_key_reused")
        problem_of(api.post("messages", {"to": PHONE, "body": "Hello"}, **self.KEY), 409, "idempotency_key_reused")
        assert Verification.objects.count() == 1

    def test_the_key_of_a_message_is_no_key_of_a_verification(self, api: Caller, connection: Connection) -> None:
        assert api.post("messages", {"to": PHONE, "body": "Hello"}, **self.KEY).status_code == 202
        problem_of(api.post("verifications", {"to": PHONE}, **self.KEY), 409, "idempotency_key_reused")
        assert not Verification.objects.exists()

    def test_a_key_that_cannot_be_read_is_told_at_the_header(self, api: Caller, connection: Connection) -> None:
        answer = api.post("verifications", {"to": PHONE}, **{"Idempotency-Key": " "})
        assert field_of(answer) == ("Idempotency-Key", "bad_format")

    def test_what_was_refused_leaves_its_key_free(
        self, api: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        problem_of(api.post("verifications", {"to": PHONE}, **self.KEY), 409, "not_connected")
        ConnectionFactory(organization=cast.organization, verify_service_sid=SERVICE)
        fake = FakeVerify()
        fake.will("start_verification", TwilioRefused("no", code=60605, http_status=403), snapshot())
        monkeypatch.setattr(twilio_verify, "gateway_for", lambda credentials, timeout: fake)
        problem_of(api.post("verifications", {"to": PHONE}, **self.KEY), 409, "verification_refused")
        assert api.post("verifications", {"to": PHONE}, **self.KEY).status_code == 201
        assert api.post("verifications", {"to": PHONE}, **self.KEY).status_code == 200
        assert fake.count("start_verification") == 2

    def test_an_answer_that_was_not_heard_keeps_the_key(
        self, api: Caller, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ConnectionFactory(organization=cast.organization, verify_service_sid=SERVICE)
        fake = FakeVerify()
        fake.will("start_verification", TwilioOutcomeUnknown("The connection broke."))
        monkeypatch.setattr(twilio_verify, "gateway_for", lambda credentials, timeout: fake)
        for status in (201, 200):
            answer = api.post("verifications", {"to": PHONE}, **self.KEY)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, "outcome_unknown")
        assert fake.count("start_verification") == 1

    def test_another_organization_has_keys_of_its_own(
        self, api: Caller, stranger: Caller, cast: Cast, connection: Connection
    ) -> None:
        ConnectionFactory(organization=cast.other)
        mine = api.post("verifications", {"to": PHONE}, **self.KEY).json()
        theirs = stranger.post("verifications", {"to": PHONE}, **self.KEY)
        assert theirs.status_code == 201 and theirs.json()["id"] != mine["id"]


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_with_one_key_one_sends_a_code(api: Caller, connection: Connection) -> None:
    barrier, answers = threading.Barrier(5), []

    def ask() -> None:
        try:
            barrier.wait()
            answers.append(api.post("verifications", {"to": PHONE}, **{"Idempotency-Key": "once"}))
        finally:
            database.close()

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (Verification.objects.count(), Message.objects.count()) == (1, 1)
