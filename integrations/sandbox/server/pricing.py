"""What messages cost by country (pricing.twilio.com/v1/Messaging/Countries): what is charged later lies within it."""

from decimal import Decimal
from typing import Any

import phonenumbers
from aiohttp import web

from integrations.region_names import REGION_NAMES

from .door import Call
from .paging import list_with_meta
from .prices import CURRENCY, segment_price
from .wire import json_response

# Carriers differ around the price that is really charged, a little more or less by the type of the sender.
_CARRIERS = (("Aurora", "01", Decimal("0.92")), ("Borealis", "02", Decimal("1")), ("Other", "99", Decimal("1.15")))
_NUMBER_TYPES = {
    "local": Decimal("1"),
    "mobile": Decimal("1"),
    "toll free": Decimal("0.98"),
    "shortcode": Decimal("1.04"),
    "alphanumeric": Decimal("0.96"),
}
_INBOUND = Decimal("0.0075")
_ADDRESS = "https://pricing.twilio.com/v1/Messaging/Countries"


def list_countries(call: Call) -> web.Response:
    """Answer the countries there are prices for, in pages."""
    return list_with_meta(call, sorted(phonenumbers.SUPPORTED_REGIONS), key="countries", as_json=_named)


def fetch_country(call: Call) -> web.Response:
    """Answer the prices of one country: by carrier and by type of sender."""
    region = call.path["region"].upper()
    calling_code = phonenumbers.country_code_for_region(region)
    if not calling_code:
        raise call.not_found()
    price = segment_price(calling_code)
    return json_response(
        {
            **_named(region),
            "outbound_sms_prices": [
                {
                    "carrier": carrier,
                    "mcc": f"{calling_code:03d}",
                    "mnc": mnc,
                    "prices": [_entry(name, price * factor * share) for name, share in _NUMBER_TYPES.items()],
                }
                for carrier, mnc, factor in _CARRIERS
            ],
            "inbound_sms_prices": [_entry(name, _INBOUND) for name in ("local", "mobile", "toll free", "shortcode")],
            "price_unit": CURRENCY,
        }
    )


def _named(region: str) -> dict[str, Any]:
    return {"country": REGION_NAMES.get(region, region), "iso_country": region, "url": f"{_ADDRESS}/{region}"}


def _entry(number_type: str, price: Decimal) -> dict[str, str]:
    amount = str(price.quantize(Decimal("0.0001")))
    return {"base_price": amount, "current_price": amount, "number_type": number_type}
