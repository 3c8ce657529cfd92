"""Each code passes the limits before it is sent; what they refuse leaves nothing behind."""

import pytest

from messaging.verification import life, limits
from messaging.verification.models import Verification
from messaging.verification.refusals import VerificationRefused
from tests.conftest import Cast

from .conftest import PHONE, VISITOR, FakeVerify, snapshot


def test_twilio_is_not_asked_for_a_country_that_was_not_picked(cast: Cast, twilio: FakeVerify) -> None:
    with pytest.raises(VerificationRefused) as caught:
        life.start(cast.organization, to="+33612345678", asker=VISITOR)
    assert (caught.value.code, caught.value.kind, caught.value.field) == ("regions", "limit", "to")
    assert not twilio.calls and not Verification.objects.exists()


@pytest.mark.parametrize("number", ["+881612345678", "+4990012345678", "+8835100012345"])
def test_costly_ranges_get_nothing(cast: Cast, twilio: FakeVerify, number: str) -> None:
    with pytest.raises(VerificationRefused) as caught:
        life.start(cast.organization, to=number, asker=VISITOR)
    assert caught.value.field == "to"
    assert not twilio.calls


def test_an_approval_is_told_once(cast: Cast, twilio: FakeVerify, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(limits, "approved", lambda organization, phone: told.append(phone.e164))
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    twilio.will("check_verification", snapshot("pending"), snapshot("approved"))
    life.check(verification, code="000000")
    for _ in range(2):
        life.check(verification, code="482913")
    assert told == [PHONE]


def test_addresses_are_counted_too(cast: Cast, twilio: FakeVerify) -> None:
    for _ in range(5):
        life.start(cast.organization, to="anna@example.com", channel="email", asker=VISITOR)
    with pytest.raises(VerificationRefused) as caught:
        life.start(cast.organization, to="Anna@example.com", channel="email", asker=VISITOR)
    assert (caught.value.code, caught.value.kind) == ("number", "limit")
