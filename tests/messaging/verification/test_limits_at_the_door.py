"""Each code passes the limits before it is sent; what they refuse leaves nothing behind."""

from typing import Any

import pytest

from messaging.verification import life, limits
from messaging.verification.limit_models import LimitCount, VerificationPolicy
from messaging.verification.limit_setting import refusals
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


def write_to(cast: Cast, address: str) -> Verification:
    return life.start(cast.organization, to=address, channel="email", asker=VISITOR)


def test_one_address_gets_five_codes_an_hour(cast: Cast, twilio: FakeVerify) -> None:
    for _ in range(5):
        write_to(cast, "anna@example.com")
    with pytest.raises(VerificationRefused) as caught:
        write_to(cast, "Anna@example.com")
    assert (caught.value.code, caught.value.kind) == ("address", "limit")
    assert caught.value.visitor == "Too many codes were asked for this address. Please try again later."
    assert "5 codes an hour" in caught.value.detail and "anna" not in caught.value.detail
    assert 0 < (caught.value.retry_after or 0) <= 3600
    assert twilio.count("start_verification") == 5
    write_to(cast, "ben@example.com")
    assert [row.title for row in refusals(cast.organization)] == ["One e-mail address"]
    assert not LimitCount.objects.filter(key__contains="anna").exists()


def test_the_figures_of_addresses_can_be_changed(cast: Cast, twilio: FakeVerify) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, address=1, addresses=2)
    write_to(cast, "anna@example.com")
    with pytest.raises(VerificationRefused, match="1 codes an hour go to one e-mail address"):
        write_to(cast, "anna@example.com")
    write_to(cast, "ben@example.com")
    with pytest.raises(VerificationRefused, match="2 codes an hour go out by e-mail") as caught:
        write_to(cast, "carl@example.com")
    assert caught.value.code == "addresses"


def test_another_code_by_mail_counts_like_a_first_one(cast: Cast, twilio: FakeVerify, later: Any) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, address=1)
    verification = write_to(cast, "anna@example.com")
    later(verification, seconds=31)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, channel="email", asker=VISITOR)
    assert caught.value.code == "address"
