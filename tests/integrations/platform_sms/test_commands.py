"""`manage.py platform_sms`: carriers and prices from a shell."""

import io
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from integrations.connections.models import Connection
from integrations.platform_sms.models import PlatformDestination
from integrations.platform_sms.offers import current_offer
from tests.conftest import Cast
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    with suppress(SystemExit):
        call_command("platform_sms", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_default_connection_carries_both_at_the_prices_of_the_settings(cast: Cast, settings: Any) -> None:
    settings.PLATFORM_DOMESTIC_PRICE, settings.PLATFORM_INTERNATIONAL_CODE_PRICE = Decimal(1), Decimal("2.3")
    carrier = ConnectionFactory(organization=cast.organization)
    found = run("--org", "acme")
    assert {name: (row["connection"], str(row["price"])) for name, row in found.items()} == {
        "domestic": (str(carrier.pk), "1"),
        "international": (str(carrier.pk), "2.3"),
    }
    assert run("--org", "acme", "--destination", "domestic", "--price", "0.8").keys() == {"domestic"}
    offer = current_offer()
    assert offer.domestic is not None
    assert offer.international is not None
    assert (offer.domestic.price, offer.international.price) == (Decimal("0.8"), Decimal("2.3"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--org", "nobody"], "unknown_organization"),
        (["--org", "borealis"], "not_connected"),
        (["--org", "acme", "--connection", "nonsense"], "not_connected"),
        (["--org", "acme", "--price", "-1"], "bad_arguments"),
        (["--org", "acme", "--price", "much"], "bad_arguments"),
        (["--org", "acme", "--price", "1.23456"], "bad_arguments"),
    ],
)
def test_bad_arguments_are_told_and_change_nothing(cast: Cast, arguments: list[str], code: str) -> None:
    ConnectionFactory(organization=cast.organization)
    assert run(*arguments)["code"] == code
    assert not PlatformDestination.objects.exclude(carrier=None).exists()


def test_test_credentials_carry_nothing(cast: Cast) -> None:
    ConnectionFactory(organization=cast.organization, mode="test")
    assert run("--org", "acme")["code"] == "not_connected"
    assert Connection.objects.count() == 1
