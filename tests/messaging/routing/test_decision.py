"""The routing table, held to the whole world: every region, every kind of number, every state of a connection."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import phonenumbers
import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.phones import NumberKind, Phone, parse_phone
from integrations.platform_sms.models import PlatformDestination
from integrations.platform_sms.offers import NOTHING, Offer, PlatformOffer
from messaging.routing.decision import Kind, Route, decide, decide_for
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ConnectionFactory, OrganizationFactory

DOMESTIC, CODE = Decimal("0.8"), Decimal("2.3")
BERLIN, SHANGHAI = "+4915112345678", "+8613912345678"


def made(**values: Any) -> Connection:
    return Connection(**{"name": "Ours", "messaging_service_sid": "MG1", **values})


CARRIER = made(name="Carrier of the operator")
OFFERS = {
    "offered": PlatformOffer(
        domestic=Offer("domestic", CARRIER, DOMESTIC), international=Offer("international", CARRIER, CODE)
    ),
    "down": PlatformOffer(
        domestic=Offer("domestic", CARRIER, DOMESTIC, is_working=False),
        international=Offer("international", CARRIER, CODE, is_working=False),
    ),
    "nothing": NOTHING,
}
CONNECTIONS = {
    "none": None,
    "live": made(),
    "from a number": made(messaging_service_sid="", sender="+15005550006"),
    "test": made(mode="test"),
    "only verify": made(messaging_service_sid="", verify_service_sid="VA1"),
    "no sender": made(messaging_service_sid=""),
    "broken": made(status="broken", broken_code=20003),
    "disconnected": made(status="disconnected"),
    "sandbox": made(mode="sandbox"),
    "broken sandbox": made(mode="sandbox", status="broken", broken_code=20003),
    "disconnected sandbox": made(mode="sandbox", status="disconnected"),
}
# What the table says, in the simplest words there are: (kind, code of a refusal), by connection.
BY_TWILIO = {
    "live": ("twilio", ""),
    "from a number": ("twilio", ""),
    "test": ("twilio", ""),
    "only verify": ("refused", "no_sender"),
    "no sender": ("refused", "no_sender"),
    "broken": ("refused", "connection_broken"),
    "sandbox": ("twilio", ""),
    "broken sandbox": ("refused", "connection_broken"),
    "none": ("refused", "not_connected"),
    "disconnected": ("refused", "not_connected"),
    "disconnected sandbox": ("refused", "not_connected"),
}
CODE_BY_TWILIO = BY_TWILIO | {"only verify": ("twilio", "")}
NOT_CONNECTED = {"none", "disconnected", "disconnected sandbox"}
BY_PLATFORM = {"offered": ("platform", ""), "down": ("refused", "platform_unavailable")}


def expected(*, is_china: bool, purpose: str, connection: str, offer: str) -> tuple[str, str, Decimal]:
    by_twilio = (CODE_BY_TWILIO if purpose == "verification" else BY_TWILIO)[connection]
    if is_china and connection not in {"sandbox", "broken sandbox"}:
        found = (BY_PLATFORM | {"nothing": ("refused", "no_route")})[offer]
    elif not is_china and purpose == "verification" and connection in NOT_CONNECTED:
        found = (BY_PLATFORM | {"nothing": ("refused", "not_connected")})[offer]
    else:
        found = by_twilio
    price = (DOMESTIC if is_china else CODE) if found[0] == "platform" else Decimal(0)
    return (*found, price)


def examples() -> Iterator[str]:
    """Yield a number of every kind in every region, and those that belong to no country: satellites, shared cost."""
    kinds = [kind for kind in phonenumbers.PhoneNumberType.values() if kind != phonenumbers.PhoneNumberType.UNKNOWN]
    for region, kind in product(sorted(phonenumbers.SUPPORTED_REGIONS), kinds):
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None:
            yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        if (number := phonenumbers.example_number_for_non_geo_entity(code)) is not None:
            yield phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def world() -> list[Phone]:
    return [parse_phone(number, region=None, allow_magic=True) for number in dict.fromkeys(examples())]


def test_the_world_is_whole() -> None:
    regions, kinds = {phone.region for phone in world()}, {phone.kind for phone in world()}
    assert len(regions) > 230
    assert {NumberKind.PREMIUM, NumberKind.SHARED_COST, NumberKind.TOLL_FREE, NumberKind.MOBILE} <= kinds
    assert {870, 881, 882, 883, 979} <= {phone.country_code for phone in world()}, "satellites and international ones"
    assert {phone.country_code for phone in world() if phone.is_mainland_china} == {86}
    assert {"HK", "MO", "TW"} <= regions


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("offer", OFFERS)
def test_table_holds_for_every_number_and_purpose(connection: str, offer: str) -> None:
    wrong = []
    for phone, purpose in product(world(), Message.Purpose.values):
        route = decide_for(CONNECTIONS[connection], phone, purpose, OFFERS[offer])
        is_china = phone.country_code == 86
        wanted = expected(is_china=is_china, purpose=purpose, connection=connection, offer=offer)
        if (route.kind, route.code, route.price) != wanted or not route.reason.endswith("."):
            wrong.append((phone.region, purpose, route, wanted))
        if route.kind is Kind.PLATFORM:
            assert route.connection is CARRIER
        elif route.kind is Kind.TWILIO:
            assert route.connection is CONNECTIONS[connection]
    assert not wrong


def test_reason_of_platform_sms_says_nothing_of_its_carrier() -> None:
    for offer in ("offered", "down"):
        for number in (SHANGHAI, BERLIN):
            route = decide_for(None, parse_phone(number, region=None), "verification", OFFERS[offer])
            assert "operator" not in route.reason or offer == "down"
            assert CARRIER.name not in route.reason


def test_trial_in_the_sandbox_says_why_it_needs_no_credits() -> None:
    route = decide_for(CONNECTIONS["sandbox"], parse_phone(SHANGHAI, region=None), "transactional", NOTHING)
    assert (route.kind, route.price) == (Kind.TWILIO, Decimal(0))
    assert "sandbox" in route.reason


# ---- what the database knows


def route_of(organization: Organization, number: str, purpose: str = "transactional") -> Route:
    return decide(organization, phone=parse_phone(number, region=None), purpose=purpose)


@pytest.mark.django_db
def test_offer_is_read_where_the_table_needs_it(cast: Cast, settings: Any, django_assert_num_queries: Any) -> None:
    settings.PLATFORM_DOMESTIC_PRICE, settings.PLATFORM_INTERNATIONAL_CODE_PRICE = DOMESTIC, CODE
    carrier = ConnectionFactory(organization=OrganizationFactory())
    PlatformDestination.objects.create(destination="domestic", carrier=carrier)
    PlatformDestination.objects.create(destination="international", carrier=carrier)
    with django_assert_num_queries(2):
        assert route_of(cast.organization, SHANGHAI).price == DOMESTIC
    assert route_of(cast.organization, BERLIN, "verification").price == CODE
    with django_assert_num_queries(1):
        assert route_of(cast.organization, BERLIN).code == "not_connected"
    PlatformDestination.objects.filter(destination="international").update(price=Decimal(3))
    assert route_of(cast.organization, BERLIN, "verification").price == Decimal(3)


@pytest.mark.django_db
def test_broken_connection_never_falls_back_to_platform_sms(cast: Cast) -> None:
    PlatformDestination.objects.create(
        destination="international", carrier=ConnectionFactory(organization=OrganizationFactory())
    )
    ConnectionFactory(organization=cast.organization, status="broken", broken_code=20003)
    assert route_of(cast.organization, BERLIN, "verification").code == "connection_broken"


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["broken", "disconnected", "suspended", "senderless"])
def test_carrier_in_trouble_refuses_and_nobody_else_carries(cast: Cast, trouble: str) -> None:
    carrier = ConnectionFactory(organization=OrganizationFactory())
    PlatformDestination.objects.create(destination="domestic", carrier=carrier)
    ConnectionFactory(organization=cast.organization)
    if trouble == "suspended":
        Organization.objects.filter(pk=carrier.organization_id).update(status="suspended")
    elif trouble == "senderless":
        Connection.objects.filter(pk=carrier.pk).update(messaging_service_sid="")
    else:
        Connection.objects.filter(pk=carrier.pk).update(status=trouble, is_default=False)
    route = route_of(cast.organization, SHANGHAI)
    assert (route.kind, route.code, route.connection) == (Kind.REFUSED, "platform_unavailable", None)
