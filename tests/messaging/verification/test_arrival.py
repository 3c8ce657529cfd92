"""Whether a code of our own arrived, as its message says: what the verification learns of it, and what that ends."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from messaging.api.verifications import shape
from messaging.sending.models import Message
from messaging.verification import life
from messaging.verification.arrival import is_lost, note_arrivals, note_failures
from messaging.verification.models import Verification, VerificationSend
from messaging.verification.moves import expire_due
from messaging.verification.reasons import admin_words
from messaging.verification.refusals import VerificationRefused
from messaging.verification.selectors import VerificationFilter, conversion_of, verifications_of
from messaging.verification.tasks import sweep
from tests.conftest import Cast

from .conftest import PHONE, VISITOR, own_code_of

pytestmark = pytest.mark.usefixtures("sender_only")


def begin(cast: Cast, **changes: Any) -> Verification:
    return life.start(cast.organization, **{"to": PHONE, "asker": VISITOR, **changes})


def end_message(verification: Verification, status: str = "undelivered", **how: Any) -> None:
    """Let the message with the newest code end."""
    send = VerificationSend.objects.filter(verification=verification).latest("pk")
    Message.objects.filter(pk=send.message_id).update(
        status=status, finished_at=timezone.now(), claim_token=None, **{"error_code": 30003, **how}
    )


def another_code(verification: Verification, later: Callable[..., None]) -> None:
    later(verification, seconds=31)
    life.resend(verification, asker=VISITOR)


@pytest.mark.parametrize(
    ("status", "how"),
    [("undelivered", {}), ("failed", {"error_code": 21610}),
     ("blocked", {"error_code": None, "error_reason": "no_route"}),
     ("failed", {"error_code": None, "error_reason": "expired"}), ("canceled", {"error_code": None})],
)  # fmt: skip
def test_a_code_that_did_not_arrive_is_known_and_another_may_be_asked_for(
    cast: Cast, later: Callable[..., None], status: str, how: dict[str, Any]
) -> None:
    verification = begin(cast)
    end_message(verification, status, **how)
    assert note_failures() == 1
    assert note_failures() == 0
    verification.refresh_from_db()
    assert (verification.status, verification.error_reason) == ("pending", "not_delivered")
    send = VerificationSend.objects.get()
    assert (send.outcome, send.error_code) == ("failed", how.get("error_code", 30003))
    another_code(verification, later)
    assert (verification.error_reason, verification.error_code, verification.undelivered_at) == ("", None, None)
    assert life.check(verification, code=own_code_of()).approved


def test_when_its_time_is_over_it_has_failed_and_not_expired(cast: Cast, later: Callable[..., None]) -> None:
    lost, silent = begin(cast), begin(cast, to="+4915112345679")
    end_message(lost)
    for verification in (lost, silent):
        later(verification, minutes=11)
    sweep()
    for verification in (lost, silent):
        verification.refresh_from_db()
    assert (lost.status, lost.error_reason, lost.error_code) == ("failed", "not_delivered", 30003)
    assert (silent.status, silent.error_reason) == ("expired", "expired")


def test_before_the_sweep_it_stands_as_failed_too(cast: Cast, later: Callable[..., None]) -> None:
    verification = begin(cast)
    end_message(verification)
    note_failures()
    later(verification, minutes=11)
    assert verification.state == "failed"
    for status, found in (("failed", [verification]), ("expired", []), ("pending", [])):
        assert list(verifications_of(cast.organization, wanted=VerificationFilter(status=status))) == found
    assert life.check(verification, code="482913").status == "failed"
    verification.refresh_from_db()
    assert (verification.status, verification.error_reason) == ("failed", "not_delivered")


def test_one_that_had_expired_before_its_message_failed_keeps_its_end(cast: Cast, later: Callable[..., None]) -> None:
    verification = begin(cast)
    later(verification, minutes=11)
    expire_due()
    end_message(verification, "failed", error_code=None, error_reason="expired")
    sweep()
    verification.refresh_from_db()
    assert (verification.status, verification.error_reason) == ("expired", "not_delivered")
    assert conversion_of(cast.organization).total.sent == 0


def test_of_two_codes_one_that_arrived_is_enough(cast: Cast, later: Callable[..., None]) -> None:
    verification = begin(cast)
    end_message(verification, "delivered", error_code=None)
    note_arrivals()
    another_code(verification, later)
    end_message(verification)
    assert note_failures() == 1
    verification.refresh_from_db()
    assert (verification.undelivered_at, verification.error_reason) == (None, "")
    assert is_lost(verification), "the code that counts is the newest one"
    later(verification, minutes=11)
    expire_due()
    verification.refresh_from_db()
    assert verification.status == "expired"


def test_a_report_may_be_wrong_who_enters_the_code_has_it(cast: Cast) -> None:
    verification = begin(cast)
    end_message(verification)
    note_failures()
    assert life.check(verification, code=own_code_of()).approved
    assert (verification.undelivered_at, verification.error_reason, verification.error_code) == (None, "", None)
    note_failures()
    total = conversion_of(cast.organization).total
    assert (total.sent, total.delivered, total.approved) == (1, 1, 1)


def test_what_did_not_arrive_is_neither_sent_nor_delivered_in_the_conversion(cast: Cast) -> None:
    first, second = begin(cast), begin(cast, to="+4915112345679")
    end_message(first)
    end_message(second, "delivered", error_code=None)
    sweep()
    life.cancel(first)
    total = conversion_of(cast.organization).total
    assert (total.verifications, total.sent, total.delivered) == (2, 1, 1)


def test_where_nobody_said_anything_nobody_knows(cast: Cast) -> None:
    verification = begin(cast)
    assert conversion_of(cast.organization).total.delivered is None
    end_message(verification, "delivered", error_code=None)
    note_arrivals()
    assert conversion_of(cast.organization).total.delivered == 1


def test_members_read_the_cause_and_the_next_step(cast: Cast) -> None:
    verification = begin(cast)
    end_message(verification)
    sweep()
    for who in ("owner", "viewer"):
        page = cast.client(who).get(cast.url(f"verifications/{verification.pk}/")).content.decode()
        assert "The code did not arrive." in page
        assert "did not arrive" in page and "30003" in page
        assert admin_words(code=30003).remedy[:30] in page.replace("&#x27;", "'")
    assert cast.client("stranger").get(cast.url(f"verifications/{verification.pk}/")).status_code == 404
    verification.refresh_from_db()
    error = shape(verification).error
    assert error is not None and (error.code, error.title) == ("30003", "The code did not arrive.")


def test_the_words_without_a_code_of_twilios_lead_to_the_message() -> None:
    words = admin_words(reason="not_delivered")
    assert (words.code, words.title) == ("not_delivered", "The code did not arrive.")
    assert "Look at the message" in words.remedy


def test_another_organizations_messages_change_nothing(cast: Cast) -> None:
    mine = begin(cast)
    end_message(mine)
    assert note_failures(only=cast.organization.pk) == 0, "no verification has this id"
    assert note_failures(only=mine.pk) == 1


def test_asking_too_early_after_a_lost_code_still_says_to_wait(cast: Cast) -> None:
    verification = begin(cast)
    end_message(verification)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert caught.value.code == "resend_too_early"
