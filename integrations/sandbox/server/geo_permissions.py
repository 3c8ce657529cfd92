"""Which countries an account may send messages to (accounts.twilio.com/v1/Messaging/GeoPermissions)."""

import json
from typing import Any

import phonenumbers
from aiohttp import web

from .door import Call
from .errors import ApiError
from .model import Account
from .wire import json_response

# Permissions that Twilio lets nobody change through the API.
_HIGH_RISK = {"AZ", "BD", "DZ", "IL", "LK", "NG", "OM", "PK", "PS", "TJ", "TN"}
_NEVER = {"CU", "IR", "SY"}


def _permission(account: Account, region: str) -> dict[str, Any]:
    return {
        "country_code": region,
        "type": "country",
        "enabled": region not in account.disabled_regions,
        "prefix": f"+{phonenumbers.country_code_for_region(region)}",
        "message": "High risk" if region in _HIGH_RISK else "",
    }


def list_permissions(call: Call) -> web.Response:
    """Answer the permission of one country, or of all."""
    wanted = call.query.get("CountryCode", "").strip().upper()
    known = sorted(phonenumbers.SUPPORTED_REGIONS)
    regions = [region for region in known if not wanted or region == wanted]
    return json_response({"permissions": [_permission(call.account, region) for region in regions]})


def change_permissions(call: Call) -> web.Response:
    """Switch countries on and off; each has its own result."""
    wanted: list[dict[str, Any]] = []
    for name, text in call.pairs:
        if name != "Permissions":
            continue
        try:
            read = json.loads(text)
        except ValueError as error:
            raise ApiError(20001) from error
        wanted.extend(read if isinstance(read, list) else [read])
    if not wanted or not all(isinstance(item, dict) for item in wanted):
        raise ApiError(20001)
    return json_response({"permissions": [_change(call.account, item) for item in wanted]})


def _change(account: Account, item: dict[str, Any]) -> dict[str, Any]:
    region = str(item.get("country_code", "")).upper()
    enabled = item.get("enabled")
    enabled = enabled if isinstance(enabled, bool) else str(enabled).lower() == "true"
    result: dict[str, Any] = {
        "country_code": region,
        "type": "country",
        "enabled": enabled,
        "error_code": 0,
        "error_messages": [],
    }
    if region not in phonenumbers.SUPPORTED_REGIONS or region in _HIGH_RISK | _NEVER:
        result["enabled"] = region not in account.disabled_regions
        result["error_code"] = 30649
        result["error_messages"] = ["This country cannot be changed through the API."]
    elif enabled:
        account.disabled_regions.discard(region)
    else:
        account.disabled_regions.add(region)
    return result
