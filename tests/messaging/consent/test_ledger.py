"""The ledger: only added to, the state always what the records say, and nothing personal in its proofs."""

import threading

import pytest
from django.db import DatabaseError, connections, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.organizations.models import AuditEntry
from messaging.consent.ledger import (
    CONFIRM_UNTIL,
    Entry,
    clean_evidence,
    erase_phone,
    rebuild_states,
    record_consent,
    record_many,
    state_of,
)
from messaging.consent.models import ConsentRecord, ConsentState, OptOut
from messaging.consent.opt_outs import opt_in, opt_out
from messaging.contacts.models import Contact
from tests.conftest import Cast
from tests.factories import ContactFactory

PHONE, OTHER = "+4915112345678", "+33612345678"


def granted(phone: str = PHONE, **more: object) -> Entry:
    return Entry(**{"phone": phone, "action": "granted", "source": "staff", "reason": "asked at the desk", **more})


def withdrawn(phone: str = PHONE, **more: object) -> Entry:
    return Entry(**{"phone": phone, "action": "withdrawn", "source": "staff", "reason": "rang us", **more})


def states() -> list[tuple[str, str, str, str]]:
    return sorted(ConsentState.objects.values_list("phone", "channel", "purpose", "state"))


def test_the_latest_record_is_the_state(cast: Cast) -> None:
    record_consent(cast.organization, granted())
    assert state_of(cast.organization, phone=PHONE).state == "granted"
    record_consent(cast.organization, withdrawn())
    record_consent(cast.organization, granted(purpose="transactional"))
    assert state_of(cast.organization, phone=PHONE).state == "withdrawn"
    assert ConsentRecord.objects.count() == 3
    assert state_of(cast.other, phone=PHONE) is None


def test_the_same_proof_twice_is_one_record(cast: Cast) -> None:
    first = record_consent(cast.organization, granted(evidence={"file": "a.csv", "row": 7}))
    again = record_consent(cast.organization, granted(evidence={"row": 7, "file": "a.csv"}))
    assert again == first
    record_consent(cast.organization, granted(evidence={"file": "b.csv", "row": 7}))
    assert ConsentRecord.objects.count() == 2


def test_records_can_be_neither_changed_nor_deleted(cast: Cast) -> None:
    kept = record_consent(cast.organization, granted())
    for change in (
        lambda: ConsentRecord.objects.filter(pk=kept.pk).update(action="withdrawn"),
        lambda: ConsentRecord.objects.filter(pk=kept.pk).update(phone=OTHER),
        lambda: ConsentRecord.objects.filter(pk=kept.pk)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            change()
    kept.refresh_from_db()
    assert (kept.action, kept.phone) == ("granted", PHONE)


def test_the_states_can_be_made_anew_from_the_records(cast: Cast) -> None:
    record_consent(cast.organization, granted())
    record_consent(cast.organization, withdrawn())
    record_consent(cast.organization, granted(OTHER))
    record_consent(cast.organization, granted(OTHER, channel="whatsapp"))
    record_consent(
        cast.organization,
        Entry(
            phone=OTHER,
            purpose="transactional",
            action="requested",
            source="form",
            evidence={CONFIRM_UNTIL: "2026-12-01T00:00:00+00:00"},
        ),
    )
    record_consent(cast.other, granted())
    before = states()
    pending = ConsentState.objects.get(state="pending").pending_until
    ConsentState.objects.all().delete()
    assert rebuild_states() == 5
    assert states() == before
    assert ConsentState.objects.get(state="pending").pending_until == pending
    ConsentState.objects.filter(organization=cast.organization).update(state="withdrawn", pending_until=None)
    rebuild_states(organization=cast.organization)
    assert states() == before


def test_erasing_leaves_the_proof_and_takes_the_person(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    evidence = {"wording": "Yes, write to me", "ip": "203.0.113.9", "submission": "s-1", "given_at": "2026-01-01"}
    record_consent(cast.organization, granted(evidence=evidence))
    record_consent(cast.other, granted())
    assert erase_phone(cast.organization, phone=PHONE, replacement="erased:" + "a" * 64) == 1
    kept = ConsentRecord.objects.get(organization=cast.organization)
    assert (kept.phone, kept.contact_id, kept.reason) == ("erased:" + "a" * 64, None, "")
    assert kept.evidence == {"wording": "Yes, write to me", "given_at": "2026-01-01"}
    assert state_of(cast.organization, phone=PHONE) is None
    assert state_of(cast.organization, phone=kept.phone).state == "granted"
    assert state_of(cast.other, phone=PHONE) is not None
    assert erase_phone(cast.organization, phone=PHONE, replacement="erased:" + "a" * 64) == 0
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        ConsentRecord.objects.filter(pk=kept.pk).update(phone=PHONE)
    assert Contact.objects.filter(pk=contact.pk).exists()


def test_evidence_is_masked_short_and_storable() -> None:
    kept = clean_evidence({"ip": "203.0.113.9", "note\x00": "a\x00b\ud800", "long": "x" * 9000, "empty": "", "row": 3})
    assert kept == {"ip": "203.0.113.0/24", "note": "ab", "long": "x" * 2000, "row": 3}
    assert len(clean_evidence({str(number): 1 for number in range(100)})) == 30


def test_the_contact_of_the_time_and_the_member_stand_in_the_record_and_the_audit_log_masks_the_number(
    cast: Cast,
) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    kept = record_consent(cast.organization, granted(), actor=cast.agent)
    assert (kept.contact_id, kept.actor_id, kept.actor_label) == (contact.pk, cast.agent.pk, cast.agent.email)
    entry = AuditEntry.objects.get()
    assert entry.action == "consent.granted"
    assert PHONE not in f"{entry.changes}{entry.object_label}"
    contact.delete()
    kept.refresh_from_db()
    assert kept.contact_id is not None


def test_many_cost_as_many_statements_as_one(cast: Cast) -> None:
    def queries(count: int, first: int) -> int:
        entries = [granted(f"+49151{first + number:08d}") for number in range(count)]
        with CaptureQueriesContext(database) as captured:
            assert len(record_many(cast.organization, entries)) == count
        return len(captured)

    assert queries(200, 1000) == queries(1, 0)
    assert ConsentState.objects.filter(state="granted").count() == 201


def test_one_number_twice_in_a_file_ends_as_its_last_row_says(cast: Cast) -> None:
    record_many(cast.organization, [granted(), granted(OTHER), withdrawn(), granted(), withdrawn()])
    assert state_of(cast.organization, phone=PHONE).state == "withdrawn"
    assert state_of(cast.organization, phone=OTHER).state == "granted"
    assert rebuild_states() == 2
    assert state_of(cast.organization, phone=PHONE).state == "withdrawn"


def test_a_stop_takes_marketing_back_and_start_gives_back_what_it_took(cast: Cast) -> None:
    record_consent(cast.organization, granted())
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF)
    by_person = opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")
    standing = state_of(cast.organization, phone=PHONE)
    assert (standing.state, standing.record.source) == ("withdrawn", "keyword")
    assert standing.record.evidence["opt_out"] == str(by_person.pk)
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")
    assert ConsentRecord.objects.count() == 3
    opt_in(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    assert state_of(cast.organization, phone=PHONE).state == "granted"


def test_start_gives_nothing_to_who_never_agreed_or_took_it_back_themselves(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    record_consent(cast.organization, granted(OTHER))
    opt_out(cast.organization, phone=OTHER, source=OptOut.Source.KEYWORD)
    record_consent(cast.organization, withdrawn(OTHER))
    for phone in (PHONE, OTHER):
        opt_in(cast.organization, phone=phone, source=OptOut.Source.KEYWORD)
        assert state_of(cast.organization, phone=phone).state == "withdrawn"


def test_an_opt_out_of_one_sender_leaves_the_consent(cast: Cast) -> None:
    record_consent(cast.organization, granted())
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.TWILIO, scope="sender", sender="MG" + "a" * 32)
    assert state_of(cast.organization, phone=PHONE).state == "granted"


@pytest.mark.django_db(transaction=True)
def test_two_stops_at_once_are_one_opt_out_and_one_record(cast: Cast) -> None:
    start = threading.Barrier(4)

    def stop() -> None:
        start.wait()
        try:
            opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert OptOut.objects.count() == 1
    assert ConsentRecord.objects.count() == 1
