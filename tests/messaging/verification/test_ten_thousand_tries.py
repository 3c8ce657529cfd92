"""Ten thousand codes, entered one after the other: few are compared for each verification, and no more begin."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.verification import life, own_code
from messaging.verification.askers import Asker
from messaging.verification.codes import is_code
from messaging.verification.models import Verification
from messaging.verification.refusals import VerificationRefused
from tests.conftest import Cast

from .conftest import PHONE, VISITOR, FakeVerify, own_code_of


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every code that was really compared with one of ours."""
    seen: list[str] = []

    def spy(code: str, **against: Any) -> bool:
        seen.append(code)
        return is_code(code, **against)

    monkeypatch.setattr(own_code, "is_code", spy)
    return seen


def guesses(right: str) -> list[str]:
    """Return ten thousand codes, the right one the last."""
    wrong = (f"{number:06d}" for number in range(10_001) if f"{number:06d}" != right)
    return [*islice(wrong, 9_999), right]


def enter(verification: Verification, codes: Iterable[str]) -> list[life.Checked]:
    """Enter all of these codes; every hundredth try comes with the row as the database has it."""
    found = []
    for number, code in enumerate(codes):
        if number % 100 == 0:
            verification = Verification.objects.get(pk=verification.pk)
        found.append(life.check(verification, code=code))
    return found


def test_against_one_verification(cast: Cast, sender_only: Connection, compared: list[str]) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    found = enter(verification, guesses(own_code_of()))
    assert len(found) == 10_000 and len(compared) == 5
    assert not any(one.approved for one in found)
    assert {one.status for one in found[4:]} == {"max_attempts"}


def test_against_one_number_in_verification_after_verification(
    cast: Cast, sender_only: Connection, compared: list[str]
) -> None:
    refused: set[str] = set()
    codes = iter(guesses("999999"))
    for _ in range(20):
        try:
            # By API: visitors of a form would have to solve a task before that.
            verification = life.start(cast.organization, to=PHONE, asker=Asker("api"))
        except VerificationRefused as limited:
            refused.add(limited.code)
            continue
        enter(verification, islice(codes, 2_000))
    assert Verification.objects.count() == 5, "as many codes as one number gets in an hour"
    assert next(codes, None) is None, "all ten thousand were tried"
    assert len(compared) == 5 * 5
    assert refused == {"number"}


def test_against_a_verify_service(cast: Cast, twilio: FakeVerify) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=Asker("api"))
    enter(verification, guesses("999999"))
    assert twilio.count("check_verification") == 5


def test_against_a_verify_service_by_a_visitor(cast: Cast, twilio: FakeVerify) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    enter(verification, guesses("999999"))
    assert twilio.count("check_verification") == 3, "the rest of Twilio's five is the owner's"
