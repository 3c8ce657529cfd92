"""Prefixes that are pumped, forms that are attacked, what admins hear of it; and who still gets through."""

from typing import Any

import pytest

from integrations.organizations.models import AuditEntry
from messaging.alerts.models import Alert
from messaging.alerts.watch import watch
from messaging.verification.limit_models import LimitCount, PausedPrefix, VerificationPolicy
from messaging.verification.pausing import release
from tests.conftest import Cast
from tests.messaging.verification.limits.street import Street, german

pytestmark = pytest.mark.django_db


def near(number: int) -> str:
    """Return a number of one block of a hundred thousand."""
    return f"+49151123{number:05d}"


def pump(street: Street, count: int, **asking: Any) -> list[str]:
    answers = []
    for number in range(count):
        answers.append(street.ask(near(number), **asking))
        street.forward(seconds=30)
    return answers


def test_prefix_that_grows_without_confirming_is_paused_and_told_of(cast: Cast, street: Street) -> None:
    answers = pump(street, 60)
    assert "prefix" in answers
    assert answers.count("") <= 20
    paused = PausedPrefix.objects.get()
    assert (paused.prefix, paused.region, paused.reason, paused.approved) == ("+49151123", "DE", "growth", 0)
    assert street.ask(near(99_999)) == "prefix"
    assert "To guard against abuse" in street.visitor
    assert "+49151123 is paused" in street.detail
    assert street.ask("+4915199999999") == "", "its neighbours further away are not"
    watch()
    watch()
    alert = Alert.objects.get(kind="prefix_paused")
    assert "+49151123… (Germany" in alert.text
    assert "release" in alert.text
    assert alert.link == "/settings/verification-limits/"
    street.forward(hours=7)
    assert street.ask(near(99_999)) == ""


def test_falling_conversion_pauses_a_prefix_that_used_to_confirm(cast: Cast, street: Street) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, asker=100_000, country=100_000, day=100_000)
    number = 0
    for _ in range(6):  # hours of ten each, nine of which confirm
        for turn in range(10):
            assert street.ask(near(number), solves=True) == ""
            if turn:
                street.confirm(near(number))
            number += 1
            street.forward(minutes=6)
    assert not PausedPrefix.objects.exists()
    answers = []
    while "prefix" not in answers and len(answers) < 30:
        answers.append(street.ask(near(number)))
        number += 1
        street.forward(minutes=4)
    assert 5 < answers.index("prefix") < 25
    assert PausedPrefix.objects.get().prefix == "+49151123"


def test_shift_with_neighbouring_numbers_signs_in_at_six(street: Street) -> None:
    """Forty telephones of one company, within four minutes, all confirmed a little later: nobody is paused."""
    refused = 0
    for number in range(40):
        refused += bool(street.ask(near(number), ip="203.0.113.7"))
        street.forward(seconds=6)
        if number >= 5:
            street.confirm(near(number - 5))
    assert refused == 0
    assert not PausedPrefix.objects.exists()


def test_who_tries_again_and_again_does_not_pause_the_neighbours(street: Street) -> None:
    for _ in range(30):
        street.ask(near(1))
        street.forward(seconds=30)
    assert street.ask(near(2)) == ""


def test_released_prefix_counts_from_nothing(cast: Cast, street: Street) -> None:
    pump(street, 40)
    paused = PausedPrefix.objects.get()
    assert release(paused, actor=cast.admin)
    assert not release(paused, actor=cast.admin)
    assert street.ask(near(50_000)) == ""
    assert AuditEntry.objects.filter(action="verification.prefix_released").count() == 1
    watch()
    assert not Alert.objects.filter(kind="prefix_paused", cleared_at=None).exists()


def test_form_asks_for_a_task_once_it_looks_attacked(street: Street) -> None:
    answers = [street.ask(german(number), solves=False) for number in range(40)]
    assert answers.count("") == 15
    assert set(answers[15:]) == {"challenge"}
    assert street.ask(german(100), solves=True) == ""
    assert street.ask(german(101), kind="api", solves=False) == "", "a server has no browser"


def test_address_that_asks_again_and_again_gets_a_task_of_its_own(street: Street) -> None:
    answers = [street.ask(german(number), ip="203.0.113.7", solves=False) for number in range(4)]
    assert answers == ["", "", "", "challenge"]
    assert street.ask(german(9), ip="198.51.100.7", solves=False) == ""
    street.confirm(german(0))
    assert street.ask(german(5), ip="203.0.113.7", solves=False) == "", "who confirms is no attacker"


def test_braked_form_lets_few_through_and_tells_the_admin(cast: Cast, street: Street) -> None:
    for number in range(30):
        assert street.ask(german(number)) == ""
    passed = 0
    for second in range(120):
        passed += not street.ask(german(100 + second))
        street.forward(seconds=1)
    assert passed <= 20
    assert LimitCount.objects.get(scope="asker").held_at is not None
    watch()
    alert = Alert.objects.get(kind="codes_held")
    assert "Codes of a public form are held back" in alert.text
    street.now = street.now  # the watch goes by the database's clock
    LimitCount.objects.update(held_at=None)
    watch()
    assert not Alert.objects.filter(kind="codes_held", cleared_at=None).exists()


def test_alerts_of_reached_country_and_day(cast: Cast, street: Street) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, country=2, day=3, regions=["FR"])
    for number in range(4):
        street.ask(german(number))
    street.ask("+33612345678")
    assert street.ask("+33612345679") == "day"
    watch()
    texts = " ".join(Alert.objects.filter(kind="codes_held").values_list("text", flat=True))
    assert "Codes to Germany are held back" in texts
    assert "All codes of a day are used" in texts
    assert not Alert.objects.filter(organization=cast.other).exists()
