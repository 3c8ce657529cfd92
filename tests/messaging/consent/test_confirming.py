"""Double opt-in: asked by SMS, agreed by YES in time, and both messages kept as proof."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.consent.confirming import take_consent, take_many
from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.models import ConsentPolicy, ConsentRecord, OptOut
from messaging.consent.opt_outs import opt_out
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from tests.conftest import Cast
from tests.messaging.consent.test_hearing import LONG_CODE, PHONE, TOLL_FREE, say

FORM = {"form": "newsletter", "wording": "Write to me about offers", "wording_version": 2, "submission": "s-1"}


def signed_up(**more: object) -> Entry:
    return Entry(**{"phone": PHONE, "action": "granted", "source": "form", "evidence": FORM, **more})


@pytest.fixture
def asking(cast: Cast) -> ConsentPolicy:
    return ConsentPolicy.objects.create(organization=cast.organization, double_opt_in=True, languages=["de"])


def questions() -> list[Message]:
    return list(Message.objects.filter(direction="outbound", source="consent").order_by("created_at"))


def test_without_the_option_nobody_is_asked(cast: Cast, connection: Connection) -> None:
    assert take_consent(cast.organization, signed_up(), ip="203.0.113.9").action == "granted"
    assert questions() == []
    assert state_of(cast.organization, phone=PHONE).record.evidence["ip"] == "203.0.113.0/24"


def test_yes_in_time_grants_with_both_messages_as_proof(
    cast: Cast, connection: Connection, asking: ConsentPolicy
) -> None:
    record = take_consent(cast.organization, signed_up())
    assert record.action == "requested"
    [question] = questions()
    assert "Reply YES" in question.body
    assert (question.status, question.purpose) == ("queued", "transactional")
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Sale", purpose="marketing")).status == "blocked"
    assert say(cast.organization, connection, "Ja!") == "confirmed"
    granted = state_of(cast.organization, phone=PHONE)
    assert (granted.state, granted.record.source) == ("granted", "double_opt_in")
    proof = granted.record.evidence
    assert proof["question"] == str(question.pk)
    assert proof["message"] == str(Message.objects.get(direction="inbound").pk)
    assert proof["wording"] == FORM["wording"]
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Sale", purpose="marketing")).status == "queued"


def test_signing_up_twice_asks_once(cast: Cast, connection: Connection, asking: ConsentPolicy) -> None:
    first = take_consent(cast.organization, signed_up())
    assert take_consent(cast.organization, signed_up(evidence={"submission": "s-2"})) == first
    assert len(questions()) == 1


def test_yes_too_late_grants_nothing(cast: Cast, connection: Connection, asking: ConsentPolicy) -> None:
    take_consent(cast.organization, signed_up())
    with time_machine.travel(timezone.now() + timedelta(hours=asking.confirm_within_hours, minutes=1)):
        assert say(cast.organization, connection, "JA") == ""
        assert state_of(cast.organization, phone=PHONE).state == "pending"
        take_consent(cast.organization, signed_up(evidence={"submission": "s-2"}))
    assert len(questions()) == 2


@pytest.mark.parametrize("body", ["yes please", "no", "ja ja ja", ""])
def test_anything_but_a_yes_grants_nothing(
    cast: Cast, connection: Connection, asking: ConsentPolicy, body: str
) -> None:
    take_consent(cast.organization, signed_up())
    assert say(cast.organization, connection, body) == ""
    assert state_of(cast.organization, phone=PHONE).state == "pending"


def test_yes_of_somebody_who_was_not_asked_grants_nothing(
    cast: Cast, connection: Connection, asking: ConsentPolicy
) -> None:
    assert say(cast.organization, connection, "YES") == "start"  # as Twilio reads it; there was nothing to undo
    assert say(cast.organization, connection, "YES", ours=TOLL_FREE) == ""
    assert not ConsentRecord.objects.exists()


def test_stop_instead_of_yes_ends_the_question(cast: Cast, connection: Connection, asking: ConsentPolicy) -> None:
    take_consent(cast.organization, signed_up())
    say(cast.organization, connection, "STOP")
    say(cast.organization, connection, "YES")
    assert state_of(cast.organization, phone=PHONE).state == "withdrawn"


def test_what_a_colleague_heard_is_not_asked_again(cast: Cast, connection: Connection, asking: ConsentPolicy) -> None:
    for entry in (
        signed_up(source="staff", reason="at the desk"),
        signed_up(purpose="transactional"),
        signed_up(action="withdrawn"),
    ):
        assert take_consent(cast.organization, entry).action != "requested"
    assert questions() == []


def test_who_opted_out_is_not_asked_and_the_record_says_so(
    cast: Cast, connection: Connection, asking: ConsentPolicy
) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    record = take_consent(cast.organization, signed_up())
    assert record.evidence["not_asked"] == "The recipient opted out."
    assert [message.status for message in questions()] == ["blocked"]


def test_without_a_way_to_ask_the_record_says_why_and_the_next_time_asks(cast: Cast, asking: ConsentPolicy) -> None:
    record = take_consent(cast.organization, signed_up())
    assert "Connect Twilio" in record.evidence["not_asked"]
    assert record.evidence["wording"] == FORM["wording"]


def test_nobody_can_reply_to_a_name(cast: Cast, connection: Connection, asking: ConsentPolicy) -> None:
    connection.messaging_service_sid, connection.sender = "", "ACME"
    connection.save()
    assert "Nobody can reply" in take_consent(cast.organization, signed_up()).evidence["not_asked"]
    assert questions() == []


def test_a_file_asks_each_number_once_on_the_slow_lane(
    cast: Cast, connection: Connection, asking: ConsentPolicy
) -> None:
    known = "+33612345678"
    record_consent(cast.organization, Entry(phone=known, action="granted", source="staff", reason="desk"))
    rows = [
        signed_up(source="import", evidence={"file": "a.csv", "row": 2}),
        signed_up(source="import", evidence={"file": "a.csv", "row": 3}),
        signed_up(phone=known, source="import", evidence={"file": "a.csv", "row": 4}),
        signed_up(phone="+48512345678", source="import", action="withdrawn", evidence={"file": "a.csv", "row": 5}),
    ]
    actions = [record.action for record in take_many(cast.organization, rows)]
    assert actions == ["requested", "requested", "granted", "withdrawn"]
    [question] = questions()
    assert (question.phone, question.lane) == (PHONE, Message.Lane.BULK)
    assert [record.action for record in take_many(cast.organization, rows)] == actions
    assert len(questions()) == 1


def test_an_import_that_revokes_consent_stops_what_is_queued(cast: Cast, connection: Connection) -> None:
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))
    take_many(cast.organization, [signed_up(source="import", action="withdrawn", evidence={"file": "b.csv"})])
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Sale", purpose="marketing")).status == "blocked"
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Parcel", sender=LONG_CODE)).status == "queued"
