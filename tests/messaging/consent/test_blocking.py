"""Who may be written to: one rule for one number, for many, and in the statement that lets messages go."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.connections.models import Connection
from messaging.consent.blocking import block_reason, block_sql, consent_blocks
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_in, opt_out
from messaging.contacts.erasure import number_keys
from messaging.contacts.erasure.number_keys import ensure_secret
from messaging.sending.claim import claim_batch
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from messaging.sending.reasons import reason_of
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

AGREED, STRANGER, STOPPED = "+4915112345678", "+33612345678", "+48512345678"
SERVICE = "MG" + "a" * 32


@pytest.fixture
def people(cast: Cast) -> None:
    for phone in (AGREED, STOPPED):
        record_consent(cast.organization, Entry(phone=phone, action="granted", source="staff", reason="desk"))
    opt_out(cast.organization, phone=STOPPED, source=OptOut.Source.KEYWORD)


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        ("marketing", {STRANGER: "no_consent", STOPPED: "opted_out"}),
        ("transactional", {STOPPED: "opted_out"}),
        ("verification", {}),
        ("consent", {}),
    ],
)
def test_each_purpose_has_its_own_bar(
    cast: Cast, people: None, connection: Connection, purpose: str, expected: dict[str, str]
) -> None:
    everyone = [AGREED, STRANGER, STOPPED]
    assert consent_blocks(cast.organization, everyone, purpose=purpose) == expected
    for phone in everyone:
        assert block_reason(cast.organization, phone=phone, purpose=purpose) == expected.get(phone, "")
        message = MessageFactory(organization=cast.organization, connection=connection, phone=phone, purpose=purpose)
        with database.cursor() as cursor:
            cursor.execute(f"SELECT {block_sql()} FROM messaging_message m WHERE id = %s", [message.pk])
            assert (cursor.fetchone()[0] or "") == expected.get(phone, "")


def test_consent_is_of_one_organization_and_one_channel(cast: Cast, people: None) -> None:
    assert block_reason(cast.other, phone=AGREED, purpose="marketing") == "no_consent"
    assert block_reason(cast.organization, phone=AGREED, purpose="marketing", channel="whatsapp") == "no_consent"


def test_a_narrow_opt_out_blocks_its_sender_only(cast: Cast, people: None) -> None:
    opt_out(cast.organization, phone=AGREED, source=OptOut.Source.TWILIO, scope="sender", sender=SERVICE)
    assert consent_blocks(cast.organization, [AGREED], purpose="marketing", sender=SERVICE) == {AGREED: "opted_out"}
    assert consent_blocks(cast.organization, [AGREED], purpose="marketing", sender="ACME") == {}


def test_asked_but_not_confirmed_is_no_consent(cast: Cast) -> None:
    record_consent(cast.organization, Entry(phone=STRANGER, action="requested", source="form"))
    assert block_reason(cast.organization, phone=STRANGER, purpose="marketing") == "no_consent"


def test_ten_thousand_numbers_are_two_questions(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    phones = [f"+49151{number:08d}" for number in range(10_000)]
    secret = ensure_secret(cast.organization)
    monkeypatch.setitem(number_keys._known, cast.organization.pk, secret)  # as after the first message
    with CaptureQueriesContext(database) as captured:
        assert len(consent_blocks(cast.organization, phones, purpose="marketing")) == 10_000
    assert len(captured) == 2
    with CaptureQueriesContext(database) as captured:
        assert consent_blocks(cast.organization, phones, purpose="transactional") == {}
    assert len(captured) == 1


def test_marketing_without_consent_is_stored_blocked_with_words_and_next_step(
    cast: Cast, connection: Connection
) -> None:
    message = enqueue(cast.organization, draft=Draft(to=STRANGER, body="Sale", purpose="marketing"))
    assert (message.status, message.error_reason) == ("blocked", "no_consent")
    event = message.events.get()
    assert (event.status, event.note) == ("blocked", "no_consent")
    reason = reason_of(message)
    assert reason.code == "no_consent"
    assert "Record the consent" in reason.remedy
    assert enqueue(cast.organization, draft=Draft(to=STRANGER, body="Your parcel")).status == "queued"


@pytest.mark.django_db(transaction=True)
def test_consent_withdrawn_between_queueing_and_sending_is_looked_at_in_the_claim(
    cast: Cast, people: None, connection: Connection
) -> None:
    marketing = enqueue(cast.organization, draft=Draft(to=AGREED, body="Sale", purpose="marketing"))
    parcel = enqueue(cast.organization, draft=Draft(to=AGREED, body="Your parcel"))
    record_consent(cast.organization, Entry(phone=AGREED, action="withdrawn", source="staff", reason="no more offers"))
    claim = claim_batch(connection.pk, sender=connection.sends_as, lane=0, limit=10)
    assert [claimed.id for claimed in claim.messages] == [parcel.pk]
    marketing.refresh_from_db()
    assert (marketing.status, marketing.error_reason, marketing.attempts) == ("blocked", "no_consent", 0)
    assert marketing.events.order_by("-id").first().note == "no_consent"


def test_stop_then_start_lets_marketing_go_again(cast: Cast, people: None, connection: Connection) -> None:
    opt_in(cast.organization, phone=STOPPED, source=OptOut.Source.KEYWORD)
    assert enqueue(cast.organization, draft=Draft(to=STOPPED, body="Sale", purpose="marketing")).status == "queued"


@pytest.mark.parametrize(("purpose", "is_read"), [("transactional", False), ("marketing", True)])
def test_the_ledger_is_read_for_marketing_only(cast: Cast, connection: Connection, purpose: str, is_read: bool) -> None:
    with CaptureQueriesContext(database) as captured:
        enqueue(cast.organization, draft=Draft(to=STRANGER, body="Your parcel", purpose=purpose))
    statements = [row["sql"] for row in captured if "consentstate" in row["sql"]]
    plan: list[str] = []
    for statement in statements:
        with database.cursor() as cursor:
            cursor.execute("EXPLAIN ANALYZE " + statement.replace("%", "%%"), ())
            plan += [line for (line,) in cursor.fetchall()]
    assert is_read == any("messaging_consentstate" in line and "never executed" not in line for line in plan)


def test_the_send_page_says_before_sending_that_nobody_agreed(cast: Cast, connection: Connection) -> None:
    ContactFactory(organization=cast.organization, phone=STRANGER)
    client = cast.client("agent")
    told = client.post(cast.url("messages/send/preview/"), {"to": STRANGER, "body": "Sale", "purpose": "marketing"})
    assert "agreed to marketing" in told.content.decode()
    sent = client.post(
        cast.url("messages/send/"),
        {"to": STRANGER, "body": "Sale", "purpose": "marketing", "nonce": "n-1"},
        follow=True,
    )
    assert "Not sent. No consent to marketing." in sent.content.decode()
    assert Message.objects.get().status == "blocked"
