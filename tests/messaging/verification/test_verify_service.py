"""With a Verify Service Twilio makes and compares the codes: whatever it answers is told, and nothing is doubled."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.twilio.errors import TwilioOutcomeUnknown, TwilioRefused, TwilioUnreachable
from messaging.sending.models import Message
from messaging.verification import life
from messaging.verification.askers import Asker
from messaging.verification.models import ClosedChannel, Verification, VerificationSend
from messaging.verification.refusals import VerificationRefused
from messaging.verification.sentences import visitor_sentence
from tests.conftest import Cast

from .conftest import PHONE, SERVICE, VERIFICATION, VISITOR, FakeVerify, snapshot

Checked = life.Checked
LOST = TwilioOutcomeUnknown("The connection failed after the request had been sent.")
ABSENT = TwilioRefused("The requested resource was not found", code=20404, http_status=404)


ELSEWHERE = Asker("portal", ip="198.51.100.7", language="de")


def refused(code: int, *, status: int = 400, retry_after: float | None = None) -> TwilioRefused:
    return TwilioRefused("no", code=code, http_status=status, retry_after=retry_after)


def begin(cast: Cast, **changes: Any) -> Verification:
    return life.start(cast.organization, **{"to": PHONE, "asker": VISITOR, **changes})


def test_the_service_is_asked_with_number_channel_and_language(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    assert twilio.calls == [
        ("start_verification", {"service_sid": SERVICE, "to": PHONE, "channel": "sms", "locale": "de"})
    ]
    assert (verification.backend, verification.provider_sid, verification.status) == ("verify", VERIFICATION, "pending")
    assert VerificationSend.objects.get().outcome == "sent"
    assert not Message.objects.exists()


def test_a_right_code_approves_and_a_second_time_nothing_is_asked(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    twilio.will("check_verification", snapshot("approved"))
    assert life.check(verification, code="٤٨٢ ٩١٣") == Checked("approved", 0, approved=True)
    assert twilio.calls[-1][1] == {"service_sid": SERVICE, "code": "482913", "sid": VERIFICATION, "to": PHONE}
    assert life.check(verification, code="482913") == Checked("approved", 0, approved=False)
    assert twilio.count("check_verification") == 1


@pytest.mark.parametrize("code", ["1234", "12345", "1234567890"])
def test_services_with_codes_of_other_lengths(cast: Cast, twilio: FakeVerify, code: str) -> None:
    verification = begin(cast)
    twilio.will("check_verification", snapshot("approved"))
    assert life.check(verification, code=code).approved
    assert twilio.calls[-1][1]["code"] == code


def test_a_wrong_code_is_no_error_and_five_end_it(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast, asker=Asker("api"))
    found = [life.check(verification, code="000000") for _ in range(5)]
    assert [one.attempts_left for one in found] == [4, 3, 2, 1, 0]
    assert [one.status for one in found] == ["pending"] * 4 + ["max_attempts"]
    assert life.check(verification, code="000000").status == "max_attempts"
    assert twilio.count("check_verification") == 5


def test_60202_ends_it(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    twilio.will("check_verification", refused(60202, status=429))
    assert life.check(verification, code="482913") == Checked("max_attempts", 0, approved=False)
    assert verification.error_code == 60202


@pytest.mark.parametrize(
    ("at_twilio", "status"),
    [("expired", "expired"), ("canceled", "canceled"), ("max_attempts_reached", "max_attempts"), ("failed", "failed"),
     ("deleted", "expired"), (ABSENT, "expired")],
)  # fmt: skip
def test_404_ends_it_as_twilio_says(cast: Cast, twilio: FakeVerify, at_twilio: Any, status: str) -> None:
    verification = begin(cast)
    twilio.will("check_verification", ABSENT)
    twilio.will("fetch_verification", at_twilio if isinstance(at_twilio, TwilioRefused) else snapshot(at_twilio))
    assert life.check(verification, code="482913") == Checked(status, 0, approved=False)


def test_another_code_with_404_says_nothing_of_the_service(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    twilio.will("check_verification", refused(60228, status=404))
    with pytest.raises(VerificationRefused) as caught:
        life.check(verification, code="482913")
    assert caught.value.code == "60228"
    verification.refresh_from_db()
    assert verification.status == "pending"
    twilio.will("start_verification", refused(60228, status=404))
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, to="+4915112345679")
    assert caught.value.code == "60228"


def test_a_service_that_was_deleted_meanwhile_is_told(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    for method in ("check_verification", "fetch_verification", "fetch_verify_service", "start_verification"):
        twilio.will(method, ABSENT)
    assert life.check(verification, code="482913") == Checked("failed", 0, approved=False)
    assert verification.error_reason == "verify_service_gone"
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "verify_service_gone"
    assert "System services" in caught.value.detail
    assert caught.value.visitor == visitor_sentence(reason="verify_service_gone")
    assert not Message.objects.exists(), "no other way may be taken"


@pytest.mark.parametrize("code", [60200, 60205, 60212, 60220, 60238, 60245, 60410, 60412, 60605])
def test_a_refused_start_is_explained_to_both(cast: Cast, twilio: FakeVerify, code: int) -> None:
    twilio.will("start_verification", refused(code))
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    verification = Verification.objects.get()
    assert (verification.status, verification.error_code) == ("failed", code)
    assert (caught.value.code, caught.value.kind) == (str(code), "provider")
    assert caught.value.visitor == visitor_sentence(code=code)
    assert f"({code})" in caught.value.detail and PHONE not in caught.value.detail
    assert caught.value.verification_id == verification.pk
    send = VerificationSend.objects.get()
    assert (send.outcome, send.error_code) == ("refused", code)


def test_60203_on_a_first_code_lets_the_one_that_came_last_be_entered(
    cast: Cast, twilio: FakeVerify, later: Callable[..., None]
) -> None:
    earlier = begin(cast)
    later(earlier, minutes=4)
    twilio.will("start_verification", refused(60203, status=429))
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, asker=Asker("portal"))
    assert (caught.value.code, caught.value.retry_after) == ("60203", 600)
    verification = Verification.objects.get(pk=caught.value.verification_id)
    assert (verification.status, verification.error_code, verification.sends) == ("pending", 60203, 1)
    assert (verification.provider_sid, verification.expires_at) == (earlier.provider_sid, earlier.expires_at)
    assert (verification.resend_after - timezone.now()).total_seconds() > 500
    twilio.will("check_verification", snapshot("approved"))
    assert life.check(verification, code="482913").approved


def test_60203_for_codes_that_somebody_else_sent_is_checked_by_the_number(cast: Cast, twilio: FakeVerify) -> None:
    twilio.will("start_verification", refused(60203, status=429))
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    verification = Verification.objects.get(pk=caught.value.verification_id)
    twilio.will("check_verification", snapshot("pending", sid=VERIFICATION))
    assert life.check(verification, code="000000").attempts_left == 2
    assert twilio.calls[-1][1] == {"service_sid": SERVICE, "code": "000000", "sid": "", "to": PHONE}


def test_60203_on_another_code_leaves_the_one_that_came(
    cast: Cast, twilio: FakeVerify, later: Callable[..., None]
) -> None:
    verification = begin(cast)
    later(verification, seconds=31)
    twilio.will("start_verification", refused(60203, status=429))
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert (caught.value.code, caught.value.retry_after) == ("60203", 600)
    twilio.will("check_verification", snapshot("approved"))
    assert life.check(verification, code="482913").approved


def test_a_channel_that_is_switched_off_is_not_offered_again(
    cast: Cast, twilio: FakeVerify, later: Callable[..., None]
) -> None:
    verification = begin(cast)
    assert life.offered_channels(verification) == ["sms", "call", "whatsapp"]
    later(verification, seconds=31)
    twilio.will("start_verification", refused(60223, status=403))
    with pytest.raises(VerificationRefused):
        life.resend(verification, channel="whatsapp", asker=VISITOR)
    assert ClosedChannel.objects.get().channel == "whatsapp"
    assert life.offered_channels(verification) == ["sms", "call"]
    assert (verification.status, verification.channel, verification.sends) == ("pending", "sms", 1)
    asked = twilio.count("start_verification")
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, channel="whatsapp")
    assert (caught.value.code, twilio.count("start_verification")) == ("channel_closed", asked)


def test_after_a_refused_channel_another_one_needs_no_pause(
    cast: Cast, twilio: FakeVerify, later: Callable[..., None]
) -> None:
    verification = begin(cast)
    later(verification, seconds=31)
    twilio.will("start_verification", refused(60223, status=403), snapshot())
    with pytest.raises(VerificationRefused):
        life.resend(verification, channel="whatsapp", asker=VISITOR)
    later(verification, seconds=1)
    life.resend(verification, channel="call", asker=VISITOR)
    assert (verification.channel, verification.sends) == ("call", 2)


def test_a_call_after_the_sms(cast: Cast, twilio: FakeVerify, later: Callable[..., None]) -> None:
    verification = begin(cast)
    later(verification, seconds=31)
    life.resend(verification, channel="call", asker=VISITOR)
    assert twilio.calls[-1][1]["channel"] == "call"
    assert (verification.channel, verification.sends, verification.provider_sid) == ("call", 2, VERIFICATION)


def test_an_answer_that_is_not_heard_is_told_calmly_and_nothing_is_sent_again(cast: Cast, twilio: FakeVerify) -> None:
    twilio.will("start_verification", LOST)
    verification = begin(cast)
    assert twilio.count("start_verification") == 1
    assert (verification.status, verification.error_reason) == ("pending", "outcome_unknown")
    assert VerificationSend.objects.get().outcome == "unknown"
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert caught.value.code == "resend_too_early"
    # The code came all the same: without Twilio's SID it is checked by its number.
    twilio.will("check_verification", snapshot("approved"))
    assert life.check(verification, code="482913").approved
    assert twilio.calls[-1][1] == {"service_sid": SERVICE, "code": "482913", "sid": "", "to": PHONE}


def test_a_5xx_is_not_heard_either(cast: Cast, twilio: FakeVerify) -> None:
    twilio.will("start_verification", TwilioOutcomeUnknown("oops", code=20500, http_status=500))
    assert begin(cast).status == "pending"


def test_no_connection_is_a_refusal_and_surely_nothing_was_sent(cast: Cast, twilio: FakeVerify) -> None:
    twilio.will("start_verification", TwilioUnreachable("No connection to Twilio came about."))
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "unreachable"
    assert Verification.objects.get().status == "failed"


def test_a_check_that_is_not_heard_is_looked_up(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    twilio.will("check_verification", LOST)
    twilio.will("fetch_verification", snapshot("pending"))
    with pytest.raises(VerificationRefused) as caught:
        life.check(verification, code="482913")
    assert (caught.value.code, verification.status) == ("check_unknown", "pending")
    twilio.will("fetch_verification", snapshot("approved"))
    assert life.check(verification, code="482913") == Checked("approved", 0, approved=True)


def test_what_is_surely_no_attempt_is_given_back(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    for error in (TwilioUnreachable("no"), refused(20429, status=429, retry_after=3.0)):
        twilio.will("check_verification", error)
        with pytest.raises(VerificationRefused):
            life.check(verification, code="482913")
    assert (verification.checks, verification.checking_until) == (0, None)


def test_refused_credentials_break_the_connection(cast: Cast, twilio: FakeVerify, with_service: Connection) -> None:
    twilio.will("start_verification", refused(20003, status=HTTPStatus.UNAUTHORIZED))
    with pytest.raises(VerificationRefused):
        begin(cast)
    with_service.refresh_from_db()
    assert (with_service.status, with_service.broken_code) == ("broken", 20003)
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "connection_broken"
    assert twilio.count("start_verification") == 1


def test_a_connection_that_breaks_meanwhile_fails_with_its_reason(
    cast: Cast, twilio: FakeVerify, with_service: Connection, later: Callable[..., None]
) -> None:
    verification = begin(cast)
    Connection.objects.filter(pk=with_service.pk).update(status="broken", broken_code=20003)
    with pytest.raises(VerificationRefused) as caught:
        life.check(verification, code="482913")
    assert (caught.value.code, caught.value.kind) == ("connection_broken", "route")
    later(verification, seconds=31)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert caught.value.code == "connection_broken"
    assert not Message.objects.exists()


def test_two_attempts_for_one_number_share_sid_tries_and_time(
    cast: Cast, twilio: FakeVerify, later: Callable[..., None]
) -> None:
    first = begin(cast, asker=Asker("api"))
    later(first, minutes=4)
    second = begin(cast, asker=Asker("api"))
    assert first.provider_sid == second.provider_sid
    assert second.expires_at == first.expires_at
    life.check(first, code="000000")
    assert life.check(second, code="000000").attempts_left == 3
    twilio.will("check_verification", snapshot("approved"), ABSENT)
    twilio.will("fetch_verification", snapshot("approved"))
    assert life.check(first, code="482913").approved
    assert life.check(second, code="482913") == Checked("expired", 0, approved=False)
    assert second.error_reason == "used"


def test_three_tries_of_a_network_leave_two_to_whoever_else_asked(cast: Cast, twilio: FakeVerify) -> None:
    """A stranger in one window after the other, all of which wait for a code to the owner's number."""
    stranger = Asker("portal", ip="203.0.113.9", has_passed=True)
    windows = [begin(cast, asker=stranger) for _ in range(3)]
    owner = begin(cast, asker=ELSEWHERE)
    assert [life.check(one, code="000000").attempts_left for one in windows] == [2, 1, 0]
    for window in windows:
        assert life.check(window, code="482913") == Checked("max_attempts", 0, approved=False)
    assert twilio.count("check_verification") == 3
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, asker=Asker("portal", ip="203.0.113.44"))
    assert (caught.value.code, caught.value.kind) == ("max_attempts", "limit")
    assert 0 < (caught.value.retry_after or 0) <= 600
    assert caught.value.visitor == visitor_sentence(reason="max_attempts")
    assert life.check(owner, code="000000").attempts_left == 1
    twilio.will("check_verification", snapshot("approved"))
    assert life.check(owner, code="482913").approved


def test_another_number_and_another_service_have_tries_of_their_own(
    cast: Cast, twilio: FakeVerify, later: Callable[..., None]
) -> None:
    first = begin(cast)
    for _ in range(3):
        life.check(first, code="000000")
    assert begin(cast, to="+4915112345679").is_pending
    assert begin(cast, asker=Asker("api")).is_pending, "a server is no stranger at a page"
    later(first, minutes=10)
    assert begin(cast).is_pending, "Twilio's verification is over by then"


def test_an_approval_elsewhere_proves_nothing_here(cast: Cast, twilio: FakeVerify) -> None:
    # An application of the organization's, or another organization here, has people prove numbers by the same service:
    # Twilio's verification is one and the same, and was approved there. Here somebody enters any six digits.
    verification = begin(cast)
    twilio.will("check_verification", ABSENT)
    twilio.will("fetch_verification", snapshot("approved"))
    assert life.check(verification, code="000000") == Checked("expired", 0, approved=False)
    assert (verification.error_reason, verification.approved_at) == ("used", None)


def test_canceling_one_leaves_the_other_its_code(cast: Cast, twilio: FakeVerify) -> None:
    first, second = begin(cast), begin(cast)
    life.cancel(first)
    assert twilio.count("cancel_verification") == 0
    life.cancel(second)
    assert twilio.count("cancel_verification") == 1
    assert (first.status, second.status) == ("canceled", "canceled")


def test_a_cancellation_that_twilio_refuses_holds_here(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast)
    twilio.will("cancel_verification", ABSENT)
    assert life.cancel(verification).status == "canceled"


def test_a_new_verification_at_twilio_begins_anew(cast: Cast, twilio: FakeVerify, later: Callable[..., None]) -> None:
    verification = begin(cast)
    life.check(verification, code="000000")
    later(verification, minutes=9)
    other = "VE" + "3" * 32
    twilio.will("start_verification", snapshot(sid=other))
    life.resend(verification, asker=VISITOR)
    assert (verification.provider_sid, verification.checks) == (other, 0)
    later(verification, minutes=5)
    assert verification.is_pending


def test_an_address_goes_by_the_service_alone(cast: Cast, twilio: FakeVerify) -> None:
    verification = begin(cast, to="anna@example.com", channel="email")
    assert (verification.phone, verification.email) == ("", "anna@example.com")
    assert twilio.calls[-1][1]["to"] == "anna@example.com"
    assert life.offered_channels(verification) == ["email"]
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, to="nonsense", channel="email")
    assert caught.value.code == "bad_email"


def test_a_number_is_never_proved_by_mail(cast: Cast, twilio: FakeVerify, later: Callable[..., None]) -> None:
    verification = begin(cast)
    later(verification, seconds=31)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, channel="email", asker=VISITOR)
    assert caught.value.code == "channel_closed"
