"""Without a Verify Service a code of our own goes out: 6 digits, hashed, ten minutes, five tries, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from integrations.connections.models import Connection
from messaging.api.message_shape import shape
from messaging.consent.models import OptOut
from messaging.sending.claim import Claimed, claim_batch
from messaging.sending.models import Message
from messaging.sending.sealing import forget_sealed, text_of
from messaging.verification import life
from messaging.verification.arrival import note_arrivals
from messaging.verification.askers import Asker
from messaging.verification.models import Verification, VerificationSend
from messaging.verification.moves import expire_due
from messaging.verification.refusals import VerificationRefused
from tests.conftest import Cast
from tests.factories import ConnectionFactory

from .conftest import PHONE, VISITOR, own_code_of, wrong


def begin(cast: Cast, **changes: Any) -> Verification:
    return life.start(cast.organization, **{"to": PHONE, "asker": VISITOR, **changes})


def claim(connection: Connection, message: Message) -> list[Claimed]:
    # The clock of a statement in one transaction stands still at its beginning.
    Message.objects.filter(pk=message.pk).update(due_at=F("due_at") - timedelta(minutes=1))
    return claim_batch(connection.pk, sender=message.sender, lane=0, limit=5).messages


def test_a_right_code_approves_once(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    assert (verification.status, verification.backend, verification.route) == ("pending", "own", "twilio")
    code = own_code_of()
    assert len(code) == 6
    checked = life.check(verification, code=f" {code[:3]} {code[3:]} ")
    assert checked == life.Checked("approved", 0, approved=True)
    again = life.check(verification, code=code)
    assert again == life.Checked("approved", 0, approved=False)
    verification.refresh_from_db()
    assert verification.approved_at and verification.delivered_at and verification.ended_at


def test_a_wrong_code_is_no_error_and_five_end_it(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    code = own_code_of()
    left = [life.check(verification, code=wrong(code)) for _ in range(4)]
    assert [(one.status, one.attempts_left) for one in left] == [("pending", count) for count in (4, 3, 2, 1)]
    assert life.check(verification, code=wrong(code)) == life.Checked("max_attempts", 0, approved=False)
    assert life.check(verification, code=code) == life.Checked("max_attempts", 0, approved=False)


def test_what_is_no_code_takes_no_try(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    with pytest.raises(VerificationRefused) as caught:
        life.check(verification, code="abc")
    assert (caught.value.code, caught.value.kind, caught.value.field) == ("bad_code", "input", "code")
    verification.refresh_from_db()
    assert verification.checks == 0


def test_after_ten_minutes_the_code_is_worth_nothing(
    cast: Cast, sender_only: Connection, later: Callable[..., None]
) -> None:
    verification = begin(cast)
    code = own_code_of()
    later(verification, minutes=10, seconds=1)
    assert verification.state == "expired"
    assert life.check(verification, code=code) == life.Checked("expired", 0, approved=False)
    verification.refresh_from_db()
    assert (verification.status, verification.error_reason) == ("expired", "expired")


def test_the_sweep_ends_what_nobody_checks(cast: Cast, sender_only: Connection, later: Callable[..., None]) -> None:
    late, fresh = begin(cast), begin(cast, to="+4915112345679")
    later(late, minutes=11)
    assert expire_due() == 1
    assert expire_due() == 0
    late.refresh_from_db()
    fresh.refresh_from_db()
    assert (late.status, fresh.status) == ("expired", "pending")


def test_a_code_proves_its_own_verification_only(cast: Cast, sender_only: Connection) -> None:
    first = begin(cast)
    code = own_code_of()
    second = begin(cast, asker=Asker(kind="portal"))
    if own_code_of() != code:
        assert not life.check(second, code=code).approved
    assert life.check(first, code=code).approved


def test_a_further_code_waits_then_replaces_the_first(
    cast: Cast, sender_only: Connection, later: Callable[..., None]
) -> None:
    verification = begin(cast)
    first = own_code_of()
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert (caught.value.code, caught.value.kind) == ("resend_too_early", "limit")
    assert 25 <= (caught.value.retry_after or 0) <= 30
    later(verification, seconds=30)
    life.resend(verification, asker=VISITOR)
    assert verification.sends == 2
    assert 55 <= (verification.resend_after - verification.attempts.last().at).total_seconds() <= 60  # type: ignore[union-attr]
    second = own_code_of()
    if second != first:
        assert not life.check(verification, code=first).approved
    assert life.check(verification, code=second).approved


def test_the_pauses_grow(cast: Cast) -> None:
    pauses = [life.pause_after(cast.organization, sends).total_seconds() for sends in range(1, 7)]
    assert pauses[0] == 30 and pauses == sorted(pauses)


def test_five_codes_are_sent_at_most(cast: Cast, sender_only: Connection, later: Callable[..., None]) -> None:
    verification = begin(cast)
    Verification.objects.filter(pk=verification.pk).update(sends=5)
    later(verification, minutes=5)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert caught.value.code == "too_many_sends"
    assert life.offered_channels(verification) == []


def test_what_has_ended_is_not_sent_again(cast: Cast, sender_only: Connection, later: Callable[..., None]) -> None:
    verification = begin(cast)
    life.cancel(verification)
    later(verification, seconds=40)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert (caught.value.code, caught.value.kind) == ("canceled", "ended")


def test_canceled_stays_canceled(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    code = own_code_of()
    assert life.cancel(verification).status == "canceled"
    assert life.cancel(verification).status == "canceled"
    assert life.check(verification, code=code) == life.Checked("canceled", 0, approved=False)


def test_canceling_does_not_undo_an_approval(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    life.check(verification, code=own_code_of())
    assert life.cancel(verification).status == "approved"


def test_own_codes_go_by_sms_alone(cast: Cast, sender_only: Connection) -> None:
    for channel in ("call", "whatsapp"):
        with pytest.raises(VerificationRefused) as caught:
            begin(cast, channel=channel)
        assert (caught.value.code, caught.value.field) == ("channel_closed", "channel")
    assert not Verification.objects.exists()
    assert life.offered_channels(begin(cast)) == ["sms"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "empty"), ("abc", "not_a_number"), ("+49 1", "too_short"), ("+999 123456789", "unknown_country"),
     ("+49 151 1234567890123", "too_long")],
)  # fmt: skip
def test_what_is_no_number_is_told_of_the_field(cast: Cast, sender_only: Connection, typed: str, code: str) -> None:
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, to=typed)
    assert (caught.value.code, caught.value.kind, caught.value.field) == (code, "input", "to")
    assert typed.strip("+ ") == "" or typed not in caught.value.visitor + caught.value.detail


def test_numbers_in_other_writings_are_the_same_number(cast: Cast, sender_only: Connection) -> None:
    for typed in ("0151 12345678", "٠١٥١١٢٣٤٥٦٧٨", "+49 (151) 1234-5678", "００４９１５１１２３４５６７８"):
        assert begin(cast, to=typed, asker=Asker("api")).phone == PHONE


def test_a_code_goes_to_somebody_who_opted_out(cast: Cast, sender_only: Connection) -> None:
    OptOut.objects.create(organization=cast.organization, phone=PHONE, source="keyword")
    begin(cast)
    message = Message.objects.get(phone=PHONE)
    assert message.status == "queued"
    (claimed,) = claim(sender_only, message)
    assert own_code_of() in claimed.body


def test_nobody_reads_the_code_in_the_log(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast, asker=Asker("form", language="en"))
    code = own_code_of()
    message = Message.objects.get(phone=PHONE)
    assert message.body == "•••••• is your code for Acme Logistics. It works for 10 minutes. Share it with nobody."
    assert code not in str(shape(message))
    assert code not in message.sealed_text and code not in verification.code_hash
    assert (message.encoding, message.segments) == ("GSM-7", 1)
    for who in ("owner", "viewer"):
        client = cast.client(who)
        for path in ("messages/", f"messages/{message.pk}/", f"admin/messaging/message/{message.pk}/change/",
                     f"admin/messaging/verification/{verification.pk}/change/"):  # fmt: skip
            answer = client.get(cast.url(path))
            assert answer.status_code == 200, path
            assert code not in answer.content.decode(), path


def test_what_leaves_is_the_whole_text_and_it_is_forgotten_afterwards(cast: Cast, sender_only: Connection) -> None:
    begin(cast)
    message = Message.objects.get(phone=PHONE)
    (claimed,) = claim(sender_only, message)
    assert claimed.body.startswith(own_code_of())
    assert forget_sealed() == 0
    Message.objects.filter(pk=message.pk).update(status="delivered", finished_at=message.created_at, claim_token=None)
    assert forget_sealed() == 1
    message.refresh_from_db()
    assert text_of(message) == message.body


def test_a_text_that_no_key_opens_is_not_sent_masked(cast: Cast, sender_only: Connection) -> None:
    begin(cast)
    Message.objects.update(sealed_text="gAAAAAbroken")
    assert claim(sender_only, Message.objects.get()) == []
    assert Message.objects.get().status == "sending"


def test_an_arrival_is_noted(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    send = VerificationSend.objects.get(verification=verification)
    assert note_arrivals() == 0
    Message.objects.filter(pk=send.message_id).update(status="delivered", finished_at=send.at)
    assert note_arrivals() == 1
    assert note_arrivals() == 0
    verification.refresh_from_db()
    assert verification.delivered_at == send.at


def test_without_a_sender_or_a_connection_nothing_is_made(cast: Cast) -> None:
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.kind == "route"
    assert "Twilio" not in caught.value.visitor
    assert not Verification.objects.exists() and not Message.objects.exists()


def test_a_broken_connection_is_told_and_never_got_round(cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization, status="broken", broken_code=20003)
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "connection_broken"
    assert "broken" in caught.value.detail and "broken" not in caught.value.visitor
    assert not Verification.objects.exists() and not Message.objects.exists()


def test_a_suspended_organization_sends_none(cast: Cast, sender_only: Connection) -> None:
    cast.organization.status = "suspended"
    cast.organization.save()
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "suspended"


def test_the_network_is_kept_and_the_address_is_not(cast: Cast, sender_only: Connection) -> None:
    assert begin(cast).network == "203.0.113.0/24"


def test_the_language_of_the_visitor_or_the_one_asked_for(cast: Cast, sender_only: Connection) -> None:
    assert begin(cast).locale == "de"
    assert begin(cast, to="+4915112345679", locale="fr").locale == "fr"
