"""Platform SMS as a test needs it: an organization of the operator's whose connection carries it, and credits."""

from decimal import Decimal
from typing import Any

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.platform_sms import ledger
from integrations.platform_sms.models import CreditEntry, PlatformDestination
from tests.conftest import Cast
from tests.factories import ConnectionFactory, MemberFactory, OrganizationFactory

CARRIER_NAME = "Carrier of the operator"
SHANGHAI = "+8613912345678"


def offer_platform_sms(cast: Cast, **carrier: Any) -> Connection:
    """Let a connection of an organization of the operator's carry platform SMS everywhere."""
    owner = OrganizationFactory(name="Heliograph Operations", slug="operations")
    MemberFactory(organization=owner, user=cast.operator)
    connection = ConnectionFactory(organization=owner, name=CARRIER_NAME, **carrier)
    for destination in PlatformDestination.Destination:
        PlatformDestination.objects.update_or_create(destination=destination, defaults={"carrier": connection})
    return connection


def give_credits(organization: Organization, amount: str = "10") -> None:
    ledger.top_up(organization, amount=Decimal(amount), actor="test")


def adds_up(organization: Organization) -> bool:
    """Tell whether the balance is the sum of the entries."""
    amounts = CreditEntry.objects.filter(account__organization=organization).values_list("amount", flat=True)
    return sum(amounts, Decimal(0)) == ledger.balance_of(organization)


def kinds(organization: Organization) -> list[str]:
    """Return the kinds of the organization's entries, oldest first, but for top-ups."""
    rows = CreditEntry.objects.filter(account__organization=organization).exclude(kind="top_up").order_by("id")
    return list(rows.values_list("kind", flat=True))
