"""The page "Why this route": what an admin reads of a number, and that the number stays out of addresses."""

from typing import Any

import pytest

from messaging.consent.models import OptOut
from messaging.sending.models import Message
from messaging.sending.policy import change_policy
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.messaging.sending.platform import CARRIER_NAME, SHANGHAI, give_credits, offer_platform_sms

pytestmark = pytest.mark.django_db
BERLIN = "+4915112345678"


def ask(cast: Cast, to: str, purpose: str = "transactional", who: str = "admin") -> Any:
    return cast.client(who).post(cast.url("routing/"), {"to": to, "purpose": purpose})


def test_twilio_is_said_to_pay_abroad(cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization, name="Our Twilio")
    page = ask(cast, "0151 1234 5678").content.decode()
    assert "Outside Mainland China, through “Our Twilio”." in page
    assert "no credits" in page
    assert not Message.objects.exists()


def test_a_messaging_service_is_called_by_its_name_where_it_is_known(cast: Cast) -> None:
    connection = ConnectionFactory(organization=cast.organization)
    assert f"<dd>{connection.messaging_service_sid}</dd>" in ask(cast, "0151 1234 5678").content.decode()
    connection.messaging_service_name = "Harbour notices"
    connection.save(update_fields=["messaging_service_name"])
    page = ask(cast, "0151 1234 5678").content.decode()
    assert f'Harbour notices <span class="hg-soft hg-small">{connection.messaging_service_sid}</span>' in page


def test_price_and_balance_are_said_of_platform_sms_and_nothing_of_its_carrier(cast: Cast) -> None:
    carrier = offer_platform_sms(cast)
    give_credits(cast.organization, "7.5")
    page = ask(cast, SHANGHAI).content.decode()
    assert "1 credit a message; you have 7.5" in page
    page += ask(cast, BERLIN, "verification").content.decode()
    assert "2.3 credits a message" in page
    for secret in (CARRIER_NAME, carrier.messaging_service_sid, carrier.account_sid):
        assert secret not in page


def test_refusal_says_what_to_do(cast: Cast) -> None:
    page = ask(cast, BERLIN).content.decode()
    assert "refused" in page
    assert "Connect Twilio to send outside Mainland China." in page


def test_what_else_stands_against_it_is_said(cast: Cast) -> None:
    offer_platform_sms(cast)
    change_policy(cast.organization, values={"blocked_regions": ["CN"]}, actor=cast.admin)
    OptOut.objects.create(organization=cast.organization, phone=SHANGHAI, source="keyword")
    page = ask(cast, SHANGHAI).content.decode()
    for words in ("Country not sent to", "Opted out", "Too few credits"):
        assert words in page
    assert "Nothing else stands against it" not in page


@pytest.mark.parametrize("to", ["", "nonsense", "+999123", "1" * 200])
def test_what_is_no_number_is_told_at_the_field(cast: Cast, to: str) -> None:
    response = ask(cast, to)
    assert response.status_code == 422
    assert "hg-error" in response.content.decode()


def test_number_in_the_address_is_ignored(cast: Cast) -> None:
    page = cast.client("admin").get(cast.url(f"routing/?to={SHANGHAI}")).content.decode()
    assert "139 1234" not in page


def test_page_is_for_those_who_send(cast: Cast) -> None:
    assert ask(cast, BERLIN, who="agent").status_code == 200
    assert ask(cast, BERLIN, who="viewer").status_code == 403
    assert ask(cast, BERLIN, who="stranger").status_code == 404
    assert "Why this route" in cast.client("admin").get(cast.url("settings/")).content.decode()
