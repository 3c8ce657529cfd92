"""The operator's pages of platform SMS: carriers, prices, webhooks, credits."""

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry, Organization
from integrations.platform_sms import operating
from integrations.platform_sms.ledger import balance_of
from integrations.platform_sms.models import CreditEntry, PlatformDestination
from integrations.platform_sms.offers import current_offer
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
PAGE = "/operator/platform-sms/"


@pytest.fixture
def own(cast: Cast) -> Organization:
    organization = OrganizationFactory(name="Operations", slug="operations")
    MemberFactory(organization=organization, user=cast.operator)
    return organization


@pytest.fixture
def carrier(own: Organization) -> Connection:
    return ConnectionFactory(organization=own, name="Our account")


def choose(cast: Cast, carrier: Connection | None, price: str = "", destination: str = "domestic") -> Any:
    fields = {
        "destination": destination,
        f"{destination}-carrier": str(carrier.pk) if carrier else "",
        f"{destination}-price": price,
    }
    return cast.client("operator").post(PAGE, fields)


@pytest.mark.parametrize("who", ["owner", "admin", "stranger"])
def test_pages_are_the_operators(cast: Cast, who: str) -> None:
    client = cast.client(who)
    for path in (PAGE, f"{PAGE}credits/acme/"):
        assert client.get(path).status_code == 404
        assert cast.client("operator").get(path).status_code == 200
        assert cast.client(None).get(path).status_code == 302


def test_carrier_and_price_are_chosen_and_written_down(cast: Cast, carrier: Connection, settings: Any) -> None:
    settings.PLATFORM_DOMESTIC_PRICE = Decimal(1)
    assert choose(cast, carrier).status_code == 302
    offer = current_offer()
    assert offer.domestic is not None
    assert (offer.domestic.carrier, offer.domestic.price, offer.international) == (carrier, Decimal(1), None)
    choose(cast, carrier, price="0.8")
    assert current_offer().domestic.price == Decimal("0.8")  # type: ignore[union-attr]
    choose(cast, carrier, price="0.8")
    entries = AuditEntry.objects.filter(organization=None, action="platform_sms.destination_changed")
    assert entries.count() == 2, "the same once more changes nothing"
    choose(cast, None)
    assert current_offer().domestic is None


def test_connection_of_a_customer_cannot_be_chosen(cast: Cast, own: Organization) -> None:
    theirs = ConnectionFactory(organization=cast.organization, name="A customer's")
    response = choose(cast, theirs)
    assert response.status_code == 422
    assert "A customer" not in response.content.decode()
    assert not PlatformDestination.objects.exclude(carrier=None).exists()


@pytest.mark.parametrize("changes", [{"mode": "test"}, {"status": "disconnected", "is_default": False}])
def test_connection_that_cannot_carry_is_not_offered(own: Organization, changes: dict[str, Any]) -> None:
    ConnectionFactory(organization=own, **changes)
    assert not operating.possible_carriers().exists()


def test_price_below_zero_is_refused_at_the_field(cast: Cast, carrier: Connection) -> None:
    response = choose(cast, carrier, price="-1")
    assert response.status_code == 422
    assert "hg-error" in response.content.decode()


def test_webhook_is_added_shown_its_secret_once_and_removed(cast: Cast, own: Organization) -> None:
    client = cast.client("operator")
    fields = {"name": "Gateway", "url": "https://sms.example/in", "organization": str(own.pk)}
    page = client.post(f"{PAGE}webhooks/", fields).content.decode()
    (secret,) = set(re.findall(r"hgw_[\w-]+", page))
    webhook = Connection.objects.get(mode="webhook")
    assert (webhook.auth_token.reveal(), webhook.is_default) == (secret, False)
    choose(cast, webhook)
    assert current_offer().domestic.is_working  # type: ignore[union-attr]
    assert secret not in client.get(PAGE).content.decode()
    for path in (f"integration/{webhook.pk}/", "integration/"):
        assert "sms.example" not in client.get(cast.url(path, own)).content.decode()
    assert client.post(f"{PAGE}webhooks/{webhook.pk}/remove/").status_code == 302
    webhook.refresh_from_db()
    assert (webhook.status, bool(webhook.auth_token), current_offer().domestic) == ("disconnected", False, None)
    kept = str(list(AuditEntry.objects.values_list("changes", "object_label")))
    assert secret not in kept


@pytest.mark.parametrize("url", ["", "ftp://sms.example", "javascript:alert(1)", "not an address"])
def test_webhook_needs_an_address(cast: Cast, own: Organization, url: str) -> None:
    fields = {"name": "Gateway", "url": url, "organization": str(own.pk)}
    assert cast.client("operator").post(f"{PAGE}webhooks/", fields).status_code == 422
    assert not Connection.objects.filter(mode="webhook").exists()


def test_customer_cannot_own_a_webhook(cast: Cast, own: Organization) -> None:
    fields = {"name": "Gateway", "url": "https://sms.example", "organization": str(cast.organization.pk)}
    assert cast.client("operator").post(f"{PAGE}webhooks/", fields).status_code == 422


def test_top_up_by_a_double_click_adds_once(cast: Cast) -> None:
    client, fields = cast.client("operator"), {"amount": "50", "note": "Invoice 7", "request_id": str(uuid.uuid4())}
    for _ in range(2):
        assert client.post(f"{PAGE}credits/acme/top-up/", fields).status_code == 302
    assert balance_of(cast.organization) == Decimal(50)
    entry = CreditEntry.objects.get()
    assert (entry.note, entry.actor_label) == ("Invoice 7", cast.operator.email)
    assert "Invoice 7" in client.get(f"{PAGE}credits/acme/").content.decode()


@pytest.mark.parametrize("amount", ["0", "-5", "", "much", "1.23456", "NaN", "1e30"])
def test_bad_amount_is_told_at_the_field_and_moves_nothing(cast: Cast, amount: str) -> None:
    fields = {"amount": amount, "request_id": str(uuid.uuid4())}
    response = cast.client("operator").post(f"{PAGE}credits/acme/top-up/", fields)
    assert response.status_code == 422
    assert "hg-error" in response.content.decode()
    assert not CreditEntry.objects.exists()


def test_adjustment_needs_a_reason_and_never_goes_below_zero(cast: Cast) -> None:
    client = cast.client("operator")

    def adjust(amount: str, reason: str) -> int:
        fields = {"amount": amount, "reason": reason, "request_id": str(uuid.uuid4())}
        return client.post(f"{PAGE}credits/acme/adjust/", fields).status_code

    assert adjust("5", "") == 422
    assert adjust("5", "Goodwill") == 302
    assert adjust("-6", "Taken back") == 422
    assert adjust("-4.5", "Taken back") == 302
    assert balance_of(cast.organization) == Decimal("0.5")


def test_credits_of_an_organization_that_is_none_are_not_found(cast: Cast) -> None:
    assert cast.client("operator").get(f"{PAGE}credits/nobody/").status_code == 404
