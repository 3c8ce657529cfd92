"""The numbers of an account."""

from typing import Any

from aiohttp import web

from .door import Call
from .model import Account, Number
from .paging import list_of_2010, page_number, page_size
from .recipients import read_recipient
from .wire import json_response, rfc2822


def number_json(account: Account, number: Number) -> dict[str, Any]:
    """Return a number as the API shows it."""
    return {
        "account_sid": account.sid,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": "2010-04-01",
        "beta": False,
        "bundle_sid": None,
        "capabilities": {
            "voice": "Voice" in number.capabilities,
            "sms": "SMS" in number.capabilities,
            "mms": "MMS" in number.capabilities,
            "fax": False,
        },
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.created),
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": number.friendly_name,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": number.value,
        "sid": number.sid,
        "sms_application_sid": number.sms_application_sid or None,
        "sms_fallback_method": "POST",
        "sms_fallback_url": number.sms_fallback_url,
        "sms_method": number.sms_method,
        "sms_url": number.sms_url,
        "status": "in-use",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": None,
        "type": "local",
        "uri": f"/2010-04-01/Accounts/{account.sid}/IncomingPhoneNumbers/{number.sid}.json",
        "voice_application_sid": None,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": None,
        "voice_method": "POST",
        "voice_receive_mode": "voice",
        "voice_url": None,
    }


def list_numbers(call: Call) -> web.Response:
    """Answer the account's phone numbers, filtered by PhoneNumber (all or part of it) and FriendlyName."""
    account = call.account
    filters = {name: value for name in ("PhoneNumber", "FriendlyName") if (value := call.query.get(name, "").strip())}
    wanted = filters.get("PhoneNumber", "")
    read = read_recipient(wanted)
    found = [
        number
        for number in account.numbers.values()
        if number.kind == "phone_number"
        and (read.e164 if read else wanted) in number.value
        and filters.get("FriendlyName", number.friendly_name) == number.friendly_name
    ]
    size = page_size(call)
    start = page_number(call) * size
    page = found[start : start + size]
    more = start + size < len(found)
    return list_of_2010(
        call,
        [number_json(account, number) for number in page],
        key="incoming_phone_numbers",
        filters=filters,
        next_token=f"PN{page[-1].sid[2:]}" if more else None,
    )


def fetch_number(call: Call) -> web.Response:
    """Answer one number by its SID."""
    return json_response(number_json(call.account, _find(call)))


def update_number(call: Call) -> web.Response:
    """Change where the number's incoming messages go."""
    number = _find(call)
    number.sms_url = call.form.get("SmsUrl", number.sms_url)
    number.sms_fallback_url = call.form.get("SmsFallbackUrl", number.sms_fallback_url)
    number.sms_method = call.form.get("SmsMethod", number.sms_method)
    number.sms_application_sid = call.form.get("SmsApplicationSid", number.sms_application_sid)
    number.friendly_name = call.form.get("FriendlyName", number.friendly_name)
    return json_response(number_json(call.account, number))


def _find(call: Call) -> Number:
    for number in call.account.numbers.values():
        if number.sid == call.path["sid"] and number.kind == "phone_number":
            return number
    raise call.not_found()
