"""Platform SMS over the API: its route, its price, too few credits, and nothing of the carrier."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections

from integrations.connections.models import Connection
from integrations.platform_sms.ledger import balance_of
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.messaging.sending.platform import CARRIER_NAME, SHANGHAI, adds_up, give_credits, offer_platform_sms

from .conftest import Caller, problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(cast: Cast) -> Connection:
    return offer_platform_sms(cast)


def test_message_names_its_route_and_price_and_nothing_of_the_carrier(
    api: Caller, stranger: Caller, cast: Cast, carrier: Connection
) -> None:
    give_credits(cast.organization)
    response = api.post("messages", {"to": SHANGHAI, "body": "Hello"})
    assert response.status_code == 202
    message = response.json()
    assert (message["route"], message["from"], message["price"], message["price_unit"]) == (
        "platform", "Platform SMS", "1", "credits",
    )  # fmt: skip
    assert message["body"] == "【Acme Logistics】Hello"
    Message.objects.update(provider_sid=f"SM{uuid.uuid4().hex}", status="sent")
    for answer in (api.get(f"messages/{message['id']}"), api.get("messages")):
        text = answer.content.decode()
        for secret in (CARRIER_NAME, carrier.messaging_service_sid, carrier.account_sid, "SM"):
            assert secret not in text.replace("SMS", "")
    assert api.get(f"messages/{message['id']}").json()["provider_sid"] is None
    problem_of(stranger.get(f"messages/{message['id']}"), 404, "not_found")


def test_too_few_credits_are_402_and_store_nothing(api: Caller, carrier: Connection) -> None:
    problem = problem_of(api.post("messages", {"to": SHANGHAI, "body": "Hello"}), 402, "insufficient_credits")
    assert "1 credit" in problem["detail"]
    assert not Message.objects.exists()


def test_carrier_that_does_not_work_is_told_without_its_cause(api: Caller, cast: Cast, carrier: Connection) -> None:
    give_credits(cast.organization)
    Connection.objects.filter(pk=carrier.pk).update(status="broken", broken_code=20003)
    problem = problem_of(api.post("messages", {"to": SHANGHAI, "body": "Hello"}), 409, "platform_unavailable")
    assert "20003" not in str(problem)


def test_repeated_request_is_paid_once(api: Caller, cast: Cast, carrier: Connection) -> None:
    give_credits(cast.organization)
    for status in (202, 200):
        response = api.post("messages", {"to": SHANGHAI, "body": "Hello"}, **{"Idempotency-Key": "order 1"})
        assert response.status_code == status
    assert balance_of(cast.organization) == Decimal(9)


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_spend_what_there_is_and_no_more(api: Caller, cast: Cast, carrier: Connection) -> None:
    give_credits(cast.organization, "20")
    together = threading.Barrier(10)

    def send(n: int) -> list[int]:
        together.wait(timeout=30)
        try:
            return [api.post("messages", {"to": SHANGHAI, "body": f"Hello {n} {m}"}).status_code for m in range(5)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = [status for found in pool.map(send, range(10)) for status in found]
    assert sorted(answers) == [202] * 20 + [402] * 30
    assert Message.objects.count() == 20
    assert balance_of(cast.organization) == 0
    assert adds_up(cast.organization)
