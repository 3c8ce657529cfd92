"""Codes by platform SMS: only where the routing table says so, paid with credits, or not sent at all."""

from decimal import Decimal
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.platform_sms.ledger import balance_of
from messaging.sending.models import Message
from messaging.sending.sealing import text_of
from messaging.verification import life
from messaging.verification.limit_models import LimitCount, PausedPrefix, VerificationPolicy
from messaging.verification.models import Verification
from messaging.verification.refusals import VerificationRefused
from messaging.verification.sentences import NOT_NOW
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import SHANGHAI, give_credits, offer_platform_sms

from .conftest import PHONE, SERVICE, VISITOR, FakeVerify, code_in


@pytest.fixture
def carrier(cast: Cast) -> Connection:
    return offer_platform_sms(cast)


def begin(cast: Cast, **changes: Any) -> Verification:
    return life.start(cast.organization, **{"to": PHONE, "asker": VISITOR, "locale": "en", **changes})


def test_without_a_connection_a_code_costs_its_credits(cast: Cast, carrier: Connection) -> None:
    give_credits(cast.organization)
    before = balance_of(cast.organization)
    verification = begin(cast)
    assert (verification.route, verification.backend, verification.connection) == ("platform", "own", None)
    assert before - balance_of(cast.organization) == Decimal("2.3")
    assert life.check(verification, code=code_in(text_of(Message.objects.get()))).approved


def test_mainland_china_goes_by_platform_sms_though_a_service_is_there(
    cast: Cast, carrier: Connection, twilio: FakeVerify, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = "https://forms.acme.example"
    VerificationPolicy.objects.create(organization=cast.organization, regions=["CN"])
    give_credits(cast.organization)
    verification = begin(cast, to=SHANGHAI)
    assert (verification.route, verification.backend) == ("platform", "own")
    assert not twilio.calls
    message = Message.objects.get()
    text = text_of(message)
    assert text.startswith("【") and text.splitlines()[-1] == f"@forms.acme.example #{code_in(text)}"
    assert code_in(text) not in message.body
    assert life.offered_channels(verification) == ["sms"]


def test_every_code_costs_a_resent_one_too(cast: Cast, carrier: Connection, later: Any) -> None:
    give_credits(cast.organization)
    before = balance_of(cast.organization)
    verification = begin(cast)
    later(verification, seconds=31)
    life.resend(verification, asker=VISITOR)
    assert before - balance_of(cast.organization) == Decimal("4.6")


def test_too_few_credits_are_clear_for_the_admin_neutral_for_the_visitor_and_nothing_is_sent(
    cast: Cast, carrier: Connection
) -> None:
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert (caught.value.code, caught.value.kind) == ("insufficient_credits", "route")
    assert "credit" in caught.value.detail.lower()
    assert caught.value.visitor == NOT_NOW
    assert not Verification.objects.exists() and not Message.objects.exists()


def test_credits_that_run_out_between_two_codes_leave_the_first_as_it_is(
    cast: Cast, carrier: Connection, later: Any
) -> None:
    give_credits(cast.organization, "3")
    verification = begin(cast)
    code = code_in(text_of(Message.objects.get()))
    later(verification, seconds=31)
    with pytest.raises(VerificationRefused) as caught:
        life.resend(verification, asker=VISITOR)
    assert caught.value.code == "insufficient_credits"
    verification.refresh_from_db()
    assert (verification.sends, Message.objects.count()) == (1, 1)
    assert life.check(verification, code=code).approved


def test_codes_that_could_not_be_paid_are_not_counted_as_sent(cast: Cast, carrier: Connection, later: Any) -> None:
    for _ in range(10):
        with pytest.raises(VerificationRefused) as caught:
            begin(cast)
        assert caught.value.code == "insufficient_credits"
    assert not LimitCount.objects.filter(sent__gt=0).exists()
    assert not PausedPrefix.objects.exists()

    give_credits(cast.organization, "3")
    verification = begin(cast)
    counted = list(LimitCount.objects.order_by("pk").values_list("pk", "sent"))
    later(verification, seconds=31)
    with pytest.raises(VerificationRefused):
        life.resend(verification, asker=VISITOR)
    assert list(LimitCount.objects.order_by("pk").values_list("pk", "sent")) == counted


def test_a_broken_connection_never_spends_credits(cast: Cast, carrier: Connection) -> None:
    give_credits(cast.organization)
    before = balance_of(cast.organization)
    ConnectionFactory(organization=cast.organization, verify_service_sid=SERVICE, status="broken", broken_code=20003)
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "connection_broken"
    assert balance_of(cast.organization) == before
    assert not Message.objects.exists()
