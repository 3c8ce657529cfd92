"""Consent by API: happy path, refusal, stranger, second run."""

import uuid
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.consent.ledger import Entry, erase_phone, record_consent
from messaging.consent.models import ConsentPolicy, ConsentRecord
from tests.conftest import Cast

from .conftest import Caller, field_of, problem_of

PHONE = "+4915112345678"
PROOF = {"form": "newsletter", "wording": "Yes to offers", "ip": "203.0.113.9", "given_at": "2026-05-01T09:00:00Z"}


def test_recording_and_taking_back(api: Caller, cast: Cast, connection: Connection) -> None:
    made = api.post("consents", {"phone": "0151 12345678", "action": "granted", "source": "form", "evidence": PROOF})
    assert made.status_code == 201
    told = made.json()
    assert made["Location"] == f"/api/v1/consents/{told['id']}"
    assert (told["phone"], told["purpose"], told["action"], told["source"]) == (PHONE, "marketing", "granted", "form")
    assert told["evidence"]["ip"] == "203.0.113.0/24"
    assert told["is_current"] is True
    assert api.get(f"consents/{told['id']}").json() == told
    assert api.post("messages", {"to": PHONE, "body": "Sale", "purpose": "marketing"}).json()["status"] == "queued"
    assert api.post("consents", {"phone": PHONE, "action": "withdrawn"}).status_code == 201
    assert api.get(f"consents/{told['id']}").json()["is_current"] is False
    blocked = api.post("messages", {"to": PHONE, "body": "Sale", "purpose": "marketing"}).json()
    assert (blocked["status"], blocked["error"]["code"]) == ("blocked", "no_consent")
    assert AuditEntry.objects.filter(action="consent.granted").count() == 1


def test_the_same_twice_is_one_record(api: Caller) -> None:
    body = {"phone": PHONE, "action": "granted", "evidence": PROOF}
    first, second = api.post("consents", body), api.post("consents", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert ConsentRecord.objects.count() == 1


def test_listing_by_number_purpose_and_kind(api: Caller, cast: Cast) -> None:
    for action in ("granted", "withdrawn"):
        record_consent(cast.organization, Entry(phone=PHONE, action=action, source="staff", reason=action))
    record_consent(cast.organization, Entry(phone="+33612345678", action="granted", source="staff", reason="x"))
    assert len(api.get("consents").json()["items"]) == 3
    found = api.get("consents?phone=%2B4915112345678").json()["items"]
    assert [(one["action"], one["is_current"]) for one in found] == [("withdrawn", True), ("granted", False)]
    assert len(api.get("consents?action=granted&purpose=marketing").json()["items"]) == 2
    first = api.get("consents?limit=2").json()
    assert len(api.get(f"consents?limit=2&cursor={first['next']}").json()["items"]) == 1


def test_an_erased_person_has_no_number(api: Caller, cast: Cast) -> None:
    kept = record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="x"))
    erase_phone(cast.organization, phone=PHONE, replacement="erased:abc")
    assert api.get(f"consents/{kept.pk}").json()["phone"] is None


def test_double_opt_in_asks_first(api: Caller, cast: Cast, connection: Connection) -> None:
    ConsentPolicy.objects.create(organization=cast.organization, double_opt_in=True)
    body = {"phone": PHONE, "action": "granted", "evidence": PROOF}
    first = api.post("consents", body)
    assert (first.status_code, first.json()["action"]) == (201, "requested")
    assert api.post("consents", body).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"phone": PHONE}, "action"),
        ({"action": "granted"}, "phone"),
        ({"phone": "hello", "action": "granted"}, "phone"),
        ({"phone": PHONE, "action": "requested"}, "action"),
        ({"phone": PHONE, "action": "granted", "purpose": "fun"}, "purpose"),
        ({"phone": PHONE, "action": "granted", "source": "staff"}, "source"),
        ({"phone": PHONE, "action": "granted", "reason": "a\x00b"}, "reason"),
        ({"phone": PHONE, "action": "granted", "evidence": {"x": 1}}, "evidence.x"),
        ({"phone": PHONE, "action": "granted", "evidence": {"given_at": "yesterday"}}, "evidence.given_at"),
        ({"phone": PHONE, "action": "granted", "oops": 1}, "oops"),
    ],
)
def test_bad_input_names_the_field(api: Caller, body: dict[str, Any], field: str) -> None:
    assert field_of(api.post("consents", body))[0] == field
    assert not ConsentRecord.objects.exists()


def test_a_stranger_finds_nothing_and_a_key_needs_the_scope(
    api: Caller, stranger: Caller, cast: Cast, make_caller: Any
) -> None:
    kept = record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="x"))
    problem_of(stranger.get(f"consents/{kept.pk}"), 404, "not_found")
    assert stranger.get("consents").json()["items"] == []
    problem_of(api.get(f"consents/{uuid.uuid4()}"), 404, "not_found")
    reader = make_caller("consents:read")
    assert reader.get("consents").status_code == 200
    problem_of(reader.post("consents", {"phone": PHONE, "action": "granted"}), 403, "missing_scope")
    problem_of(make_caller("opt_outs:read").get("consents"), 403, "missing_scope")
