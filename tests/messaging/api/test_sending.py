"""POST /messages: what is taken, what is refused, and that once is once."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import IdempotencyKey, Message
from messaging.templates.wording import archive, create_template
from tests.conftest import Cast
from tests.factories import ConnectionFactory, ContactFactory

from .conftest import Caller, field_of, problem_of

TO = "+4915112345678"
SHAPE = {
    "id", "to", "from", "body", "status", "direction", "channel", "route", "purpose", "encoding", "segments",
    "provider_sid", "error", "price", "price_unit", "attempts", "template", "contact_id", "created_at", "updated_at",
    "send_at", "handed_over_at", "finished_at", "events",
}  # fmt: skip


def test_a_text_is_taken(api: Caller, connection: Connection) -> None:
    response = api.post("messages", {"to": "0151 12345678", "body": "Hello"})
    assert response.status_code == 202
    told = response.json()
    assert told.keys() == SHAPE
    message = Message.objects.get()
    assert told["id"] == str(message.pk)
    assert response["Location"] == f"/api/v1/messages/{message.pk}"
    assert response["Cache-Control"] == "no-store"
    assert told | {"id": "", "created_at": "", "updated_at": "", "send_at": "", "events": []} == {
        "id": "",
        "to": TO,
        "from": connection.messaging_service_sid,
        "body": "Hello",
        "status": "queued",
        "direction": "outbound",
        "channel": "sms",
        "route": "twilio",
        "purpose": "transactional",
        "encoding": "GSM-7",
        "segments": 1,
        "provider_sid": None,
        "error": None,
        "price": None,
        "price_unit": None,
        "attempts": 0,
        "template": None,
        "contact_id": None,
        "created_at": "",
        "updated_at": "",
        "send_at": "",
        "handed_over_at": None,
        "finished_at": None,
        "events": [],
    }
    (event,) = told["events"]
    assert event.pop("at").endswith("Z")
    assert event == {"status": "queued", "source": "intake", "error_code": None}
    assert (message.source, message.organization_id) == ("api", connection.organization_id)


def test_a_template_by_name_and_by_id(api: Caller, cast: Cast, connection: Connection) -> None:
    template = create_template(cast.organization, name="Late", body="{{ first_name }}: {{ n }} h", actor=cast.owner)
    contact = ContactFactory(organization=cast.organization, phone=TO, name="Anna Schmidt")
    for wanted in ("Late", str(template.pk)):
        response = api.post("messages", {"to": TO, "template": wanted, "variables": {"n": 2}})
        assert response.status_code == 202
        told = response.json()
        assert told["body"] == "Anna: 2 h"
        assert told["template"] == {"id": str(template.pk), "name": "Late", "version": 1}
        assert told["contact_id"] == str(contact.pk)


def test_from_purpose_and_send_at_are_honoured(api: Caller, cast: Cast, connection: Connection) -> None:
    record_consent(cast.organization, Entry(phone=TO, action="granted", source="api"))
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    response = api.post(
        "messages",
        {"to": TO, "body": "Sale", "from": "ACME", "purpose": "marketing", "send_at": at.isoformat(), "channel": "sms"},
    )
    assert response.status_code == 202
    told = response.json()
    assert (told["from"], told["purpose"], told["status"]) == ("ACME", "marketing", "scheduled")
    assert datetime.fromisoformat(told["send_at"]) == at


def test_marketing_without_consent_is_blocked_with_the_reason(api: Caller, connection: Connection) -> None:
    response = api.post("messages", {"to": TO, "body": "Sale", "purpose": "marketing"})
    assert response.status_code == 202
    told = response.json()
    assert (told["status"], told["error"]["code"]) == ("blocked", "no_consent")
    assert "Record the consent" in told["error"]["remedy"]


def test_an_opted_out_recipient_is_blocked_with_the_reason(api: Caller, cast: Cast, connection: Connection) -> None:
    opt_out(cast.organization, phone=TO, source="keyword")
    response = api.post("messages", {"to": TO, "body": "Hello"})
    assert response.status_code == 202
    told = response.json()
    assert told["status"] == "blocked"
    assert told["error"]["code"] == "opted_out"
    assert told["error"]["title"] and told["error"]["remedy"]
    assert told["finished_at"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"to": ""}, "to", "empty"),
        ({"to": "+49"}, "to", "too_short"),
        ({"to": "hello"}, "to", "not_a_number"),
        ({"to": 4915112345678}, "to", "not_a_string"),
        ({"to": None}, "to", "not_a_string"),
        ({"to": "+" + "1" * 100}, "to", "too_long"),
        ({"body": ""}, "body", "required"),
        ({"body": " \n "}, "body", "required"),
        ({"body": "x" * 1700}, "body", "too_long"),
        ({"body": ["a"]}, "body", "not_a_string"),
        ({"body": "a\x00b"}, "body", "bad_characters"),
        ({"body": "a\ud800b"}, "body", "bad_characters"),
        ({"channel": "fax"}, "channel", "not_a_choice"),
        ({"channel": "whatsapp"}, "channel", "not_a_choice"),
        ({"purpose": "verification"}, "purpose", "not_a_choice"),
        ({"from": "a name that is too long"}, "from", "not_a_sender"),
        ({"from": "+1"}, "from", "too_short"),
        ({"send_at": "2026-05-01T09:00:00"}, "send_at", "no_time_zone"),
        ({"send_at": "tomorrow"}, "send_at", "bad_time"),
        ({"send_at": 1800000000}, "send_at", "bad_time"),
        ({"send_at": "2026-02-30T09:00:00Z"}, "send_at", "bad_time"),
        ({"send_at": "2001-01-01T00:00:00Z"}, "send_at", "in_the_past"),
        ({"send_at": "0001-01-01T00:00:00+14:00"}, "send_at", "in_the_past"),
        ({"send_at": "9999-12-31T23:59:59-14:00"}, "send_at", "too_far"),
        ({"variables": {"a": "b"}}, "variables", "no_template"),
        ({"template": "Late"}, "template", "body_and_template"),
        ({"sendAt": "2026-05-01T09:00:00Z"}, "sendAt", "unknown_field"),
    ],
)
def test_bad_input_names_its_field(
    api: Caller, connection: Connection, change: dict[str, object], field: str, code: str
) -> None:
    response = api.post("messages", {"to": TO, "body": "Hello"} | change)
    assert field_of(response) == (field, code)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"template": "Nothing"}, "template", "unknown_template"),
        ({"template": str(uuid.uuid4())}, "template", "unknown_template"),
        ({"template": "Old"}, "template", "unknown_template"),
        ({"template": "Foreign"}, "template", "unknown_template"),
        ({}, "variables", "missing_variables"),
        ({"variables": {"n": ""}}, "variables", "missing_variables"),
        ({"variables": {"n": True}}, "variables.n", "not_a_value"),
        ({"variables": {"n": {"deep": 1}}}, "variables.n", "not_a_value"),
        ({"variables": {"n": "x" * 1601}}, "variables.n", "too_long"),
        ({"variables": ["n"]}, "variables", "not_an_object"),
        ({"variables": {f"v{n}": "" for n in range(101)}}, "variables", "too_many"),
    ],
)
def test_bad_templates_name_their_field(
    api: Caller, cast: Cast, connection: Connection, change: dict[str, object], field: str, code: str
) -> None:
    create_template(cast.organization, name="Late", body="{{ n }} hours", actor=cast.owner)
    create_template(cast.other, name="Foreign", body="Hello", actor=cast.stranger)
    archive(create_template(cast.organization, name="Old", body="Hello", actor=cast.owner), actor=cast.owner)
    response = api.post("messages", {"to": TO, "template": "Late"} | change)
    assert field_of(response) == (field, code)
    assert not Message.objects.exists()


def test_several_bad_fields_are_named_together(api: Caller, connection: Connection) -> None:
    response = api.post("messages", {"body": 5, "purpose": "x", "nonsense": 1})
    problem = problem_of(response, 422, "validation_failed")
    assert [error["field"] for error in problem["errors"]] == ["body", "nonsense", "purpose", "to"]


def test_without_a_connection_nothing_is_stored(api: Caller) -> None:
    problem_of(api.post("messages", {"to": TO, "body": "Hello"}), 409, "not_connected")
    assert not Message.objects.exists()


def test_a_broken_connection_is_told_apart(api: Caller, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization, status="broken", broken_code=20003)
    problem_of(api.post("messages", {"to": TO, "body": "Hello"}), 409, "connection_broken")


def test_mainland_china_and_a_connection_without_sender(api: Caller, cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization, messaging_service_sid="")
    problem_of(api.post("messages", {"to": "+8613812345678", "body": "Hello"}), 409, "no_route")
    problem_of(api.post("messages", {"to": TO, "body": "Hello"}), 409, "no_sender")
    assert not Message.objects.exists()


def test_bad_input_is_told_before_a_missing_connection(api: Caller) -> None:
    assert field_of(api.post("messages", {"to": "5", "body": "Hello"}))[0] == "to"


# ---- once


def test_same_key_and_body_is_the_same_message(api: Caller, connection: Connection) -> None:
    first = api.post("messages", b'{"to": "+4915112345678", "body": "Hello"}', **{"Idempotency-Key": "order 1"})
    again = api.post("messages", b'{"body":"Hello",\n"to":"+4915112345678"}', **{"Idempotency-Key": "order 1"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    assert Message.objects.count() == 1


def test_a_repeated_request_tells_the_message_as_it_is_now(api: Caller, connection: Connection) -> None:
    key = {"Idempotency-Key": "order-1"}
    body = {"to": TO, "body": "Hello", "send_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    first = api.post("messages", body, **key).json()
    api.post(f"messages/{first['id']}/cancel")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3)):
        # Its send_at has passed, which would be an error in a new request.
        again = api.post("messages", body, **key)
    assert again.status_code == 200
    assert again.json()["status"] == "canceled"
    assert [event["status"] for event in again.json()["events"]] == ["scheduled", "canceled"]


def test_same_key_with_another_body_is_refused(api: Caller, connection: Connection) -> None:
    api.post("messages", {"to": TO, "body": "Hello"}, **{"Idempotency-Key": "k"})
    response = api.post("messages", {"to": TO, "body": "Goodbye"}, **{"Idempotency-Key": "k"})
    problem_of(response, 409, "idempotency_key_reused")
    assert Message.objects.count() == 1


def test_keys_hold_for_a_day(api: Caller, connection: Connection) -> None:
    body = {"to": TO, "body": "Hello"}
    first = api.post("messages", body, **{"Idempotency-Key": "k"}).json()
    # By the database's clock, which no traveller changes: the key is made older instead.
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert api.post("messages", body, **{"Idempotency-Key": "k"}).json()["id"] == first["id"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, minutes=1))
    later = api.post("messages", {"to": TO, "body": "Goodbye"}, **{"Idempotency-Key": "k"})
    assert later.status_code == 202
    assert later.json()["id"] != first["id"]


def test_keys_belong_to_an_organization(api: Caller, stranger: Caller, cast: Cast, connection: Connection) -> None:
    ConnectionFactory(organization=cast.other)
    mine = api.post("messages", {"to": TO, "body": "Hello"}, **{"Idempotency-Key": "k"})
    theirs = stranger.post("messages", {"to": TO, "body": "Other"}, **{"Idempotency-Key": "k"})
    assert (mine.status_code, theirs.status_code) == (202, 202)


def test_a_refused_request_leaves_its_key_free(api: Caller, cast: Cast) -> None:
    key = {"Idempotency-Key": "k"}
    problem_of(api.post("messages", {"to": TO, "body": "Hello"}, **key), 409, "not_connected")
    assert not IdempotencyKey.objects.exists()
    ConnectionFactory(organization=cast.organization)
    assert api.post("messages", {"to": TO, "body": "Hello"}, **key).status_code == 202


def test_keys_are_not_kept_in_clear(api: Caller, connection: Connection) -> None:
    api.post("messages", {"to": TO, "body": "Hello"}, **{"Idempotency-Key": "anna@example.com"})
    assert "anna" not in IdempotencyKey.objects.get().key


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "späti", "a\tb"])
def test_a_bad_idempotency_key_is_refused(api: Caller, connection: Connection, key: str) -> None:
    response = api.post("messages", {"to": TO, "body": "Hello"}, **{"Idempotency-Key": key})
    assert field_of(response) == ("Idempotency-Key", "bad_format")


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_exactly_one_is_taken(api: Caller, connection: Connection) -> None:
    start = threading.Barrier(50)

    def send(_: int) -> tuple[int, str]:
        try:
            start.wait(timeout=20)
            answer = api.post("messages", {"to": TO, "body": "Hello"}, **{"Idempotency-Key": "k"})
            return answer.status_code, answer.json().get("id")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=50) as pool:
        answers = list(pool.map(send, range(50)))
    statuses = [status for status, _ in answers]
    assert statuses.count(202) == 1
    assert statuses.count(200) == 49
    assert len({message_id for _, message_id in answers}) == 1
    assert Message.objects.count() == 1
