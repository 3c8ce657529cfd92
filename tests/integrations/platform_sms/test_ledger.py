"""Credits behave like money: reserved, settled, given back, always adding up."""

import json
import random
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from integrations.organizations.models import AuditEntry, Organization
from integrations.platform_sms import ledger
from integrations.platform_sms.ledger import CreditProblem, InsufficientCredits, balance_of, shown
from integrations.platform_sms.models import CreditAccount, CreditEntry
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
PRICE = Decimal("2.3")


def adds_up(organization: Organization) -> bool:
    """Tell whether the balance is the sum of the entries, and each entry carries the sum so far."""
    so_far = Decimal(0)
    for entry in CreditEntry.objects.filter(account__organization=organization).order_by("id"):
        so_far += entry.amount
        if entry.balance_after != so_far:
            return False
    return balance_of(organization) == so_far


@pytest.fixture
def organization(cast: Cast) -> Organization:
    ledger.top_up(cast.organization, amount=Decimal(10), actor=cast.operator)
    return cast.organization


def test_message_is_reserved_then_settled(organization: Organization) -> None:
    message = uuid.uuid4()
    assert ledger.reserve(organization, {message: PRICE}) == Decimal("7.7")
    ledger.settle(organization, [message])
    assert balance_of(organization) == Decimal("7.7")
    assert list(CreditEntry.objects.filter(message_id=message).order_by("id").values_list("kind", "amount")) == [
        ("reserve", Decimal("-2.3")),
        ("settle", Decimal(0)),
    ]
    assert adds_up(organization)


def test_price_of_a_message_that_was_not_sent_comes_back_once(organization: Organization) -> None:
    messages = [uuid.uuid4() for _ in range(3)]
    ledger.reserve(organization, dict.fromkeys(messages, PRICE))
    for _ in range(2):
        ledger.refund(organization, messages, note="refused")
    ledger.settle(organization, messages)
    assert balance_of(organization) == Decimal(10)
    assert CreditEntry.objects.filter(kind="refund").count() == 3
    assert not CreditEntry.objects.filter(kind="settle").exists()
    assert adds_up(organization)


def test_settled_message_is_not_given_back(organization: Organization) -> None:
    message = uuid.uuid4()
    ledger.reserve(organization, {message: PRICE})
    ledger.settle(organization, [message])
    ledger.refund(organization, [message])
    assert balance_of(organization) == Decimal("7.7")


def test_reserving_the_same_message_again_costs_nothing(organization: Organization) -> None:
    message = uuid.uuid4()
    ledger.reserve(organization, {message: PRICE})
    assert ledger.reserve(organization, {message: PRICE}) == Decimal("7.7")


def test_too_few_credits_reserve_nothing_and_say_what_is_missing(organization: Organization) -> None:
    with pytest.raises(InsufficientCredits) as refused:
        ledger.reserve(organization, {uuid.uuid4(): PRICE for _ in range(5)})
    assert (refused.value.needed, refused.value.balance) == (Decimal("11.5"), Decimal(10))
    assert "11.5 credits; 10 are left" in refused.value.detail
    assert not CreditEntry.objects.filter(kind="reserve").exists()


def test_organization_without_an_account_has_nothing(cast: Cast) -> None:
    assert balance_of(cast.other) == 0
    with pytest.raises(InsufficientCredits):
        ledger.reserve(cast.other, {uuid.uuid4(): PRICE})


def test_credits_of_one_organization_never_pay_for_another(cast: Cast, organization: Organization) -> None:
    message = uuid.uuid4()
    ledger.reserve(organization, {message: PRICE})
    ledger.refund(cast.other, [message])
    assert balance_of(organization) == Decimal("7.7")
    assert balance_of(cast.other) == 0


def test_same_request_tops_up_once(cast: Cast, organization: Organization) -> None:
    request = uuid.uuid4()
    for _ in range(2):
        ledger.top_up(organization, amount=Decimal(5), actor=cast.operator, request_id=request)
    assert balance_of(organization) == Decimal(15)
    assert AuditEntry.objects.filter(organization=organization, action="credits.topped_up").count() == 2


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1e30", "0.00001"])
def test_what_is_no_amount_tops_nothing_up(cast: Cast, organization: Organization, amount: str) -> None:
    with pytest.raises(CreditProblem):
        ledger.top_up(organization, amount=Decimal(amount), actor=cast.operator)
    assert balance_of(organization) == Decimal(10)


def test_adjustment_needs_a_reason_and_never_goes_below_zero(cast: Cast, organization: Organization) -> None:
    with pytest.raises(CreditProblem, match="Write why"):
        ledger.adjust(organization, amount=Decimal(-1), actor=cast.operator, reason=" ")
    with pytest.raises(InsufficientCredits):
        ledger.adjust(organization, amount=Decimal(-11), actor=cast.operator, reason="wrong top-up")
    assert ledger.adjust(organization, amount=Decimal(-4), actor=cast.operator, reason="wrong top-up") == Decimal(6)
    assert adds_up(organization)


def test_entries_can_be_neither_changed_nor_deleted(organization: Organization) -> None:
    for change in (
        lambda: CreditEntry.objects.update(amount=1),
        lambda: CreditEntry.objects.all().delete(),
        lambda: CreditAccount.objects.update(balance=-1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert adds_up(organization)


@pytest.mark.django_db(transaction=True)
def test_fifty_who_spend_at_once_add_up(cast: Cast) -> None:
    ledger.top_up(cast.organization, amount=Decimal(500), actor=cast.operator)
    refused: list[uuid.UUID] = []

    def spend(number: int) -> None:
        dice = random.Random(number)
        for _ in range(10):
            message = uuid.uuid4()
            try:
                ledger.reserve(cast.organization, {message: PRICE})
            except InsufficientCredits:
                refused.append(message)
                continue
            (ledger.refund if dice.random() < 0.3 else ledger.settle)(cast.organization, [message])
        connection.close()

    _at_once(spend, count=50)
    assert adds_up(cast.organization)
    spent = CreditEntry.objects.filter(kind="settle").count() * PRICE
    assert balance_of(cast.organization) == Decimal(500) - spent
    assert CreditEntry.objects.aggregate(sum=Sum("amount"))["sum"] == balance_of(cast.organization)
    assert balance_of(cast.organization) >= 0
    assert refused


@pytest.mark.parametrize(("amount", "words"), [("2.3", "2.3"), ("1234567", "1,234,567"), ("0.0450", "0.045")])
def test_amounts_are_written_for_people(amount: str, words: str) -> None:
    assert shown(Decimal(amount)) == words


def test_command_tops_up_and_prints_the_balance(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("top_up", "--org", "acme", "--credits", "100.5", "--json")
    assert Decimal(json.loads(capsys.readouterr().out)["balance"]) == Decimal("100.5")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--org", "nobody", "--credits", "1"), "unknown_organization"),
        (("--org", "acme", "--credits", "many"), "bad_arguments"),
        (("--org", "acme", "--credits", "-5"), "bad_amount"),
    ],
)
def test_command_refuses_in_words(
    cast: Cast, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: str
) -> None:
    with pytest.raises(SystemExit):
        call_command("top_up", *arguments, "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["code"] == code
    assert answer["detail"]
    assert balance_of(cast.organization) == 0


def _at_once(work: Callable[[int], None], *, count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
