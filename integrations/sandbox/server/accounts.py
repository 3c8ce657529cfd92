"""The account itself and its balance."""

from typing import Any

from aiohttp import web

from .door import Call
from .errors import ApiError
from .model import Account
from .wire import json_response, rfc2822

_SUBRESOURCES = {
    "available_phone_numbers": "AvailablePhoneNumbers",
    "calls": "Calls",
    "incoming_phone_numbers": "IncomingPhoneNumbers",
    "messages": "Messages",
}


def account_json(account: Account) -> dict[str, Any]:
    """Return the account as the API shows it, auth token included, as at Twilio."""
    uri = f"/2010-04-01/Accounts/{account.sid}"
    return {
        "auth_token": account.auth_token,
        "date_created": rfc2822(account.created),
        "date_updated": rfc2822(account.created),
        "friendly_name": account.friendly_name,
        "owner_account_sid": account.owner_account_sid or account.sid,
        "sid": account.sid,
        "status": account.status,
        "subresource_uris": {name: f"{uri}/{path}.json" for name, path in _SUBRESOURCES.items()},
        "type": account.type,
        "uri": f"{uri}.json",
    }


def fetch_account(call: Call) -> web.Response:
    """Answer the account."""
    return json_response(account_json(call.account))


def fetch_balance(call: Call) -> web.Response:
    """Answer the balance; a subaccount has none of its own."""
    account = call.account
    if account.owner_account_sid not in {"", account.sid}:
        raise call.not_found()
    return json_response({"account_sid": account.sid, "balance": account.balance, "currency": account.currency})


def keys(call: Call) -> web.Response:
    """Answer for API keys, which are not simulated; a Standard key does not even come this far."""
    raise ApiError(20501, detail="API keys as a resource")
