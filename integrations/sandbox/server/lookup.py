"""Lookup: is this a number, whose country, what kind of line."""

import re
from typing import Any

import phonenumbers
from aiohttp import web
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from .door import Call
from .wire import json_response

_PACKAGES = (
    "caller_name",
    "sim_swap",
    "call_forwarding",
    "line_status",
    "line_type_intelligence",
    "identity_match",
    "reassigned_number",
    "sms_pumping_risk",
    "phone_number_quality_score",
    "pre_fill",
)
_LINE_TYPES = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",  # North America does not tell the two apart
    PhoneNumberType.TOLL_FREE: "tollFree",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "sharedCost",
    PhoneNumberType.VOIP: "nonFixedVoip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
_REASONS = {
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "TOO_SHORT",
}
_UNREADABLE = {
    NumberParseException.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    NumberParseException.TOO_SHORT_NSN: "TOO_SHORT",
    NumberParseException.TOO_SHORT_AFTER_IDD: "TOO_SHORT",
    NumberParseException.TOO_LONG: "TOO_LONG",
}


def look_up(call: Call) -> web.Response:
    """Answer what is known of a number; an impossible one is a good answer that says so."""
    text = call.path["number"]
    fields = {name.strip() for name in call.query.get("Fields", "").split(",")}
    body: dict[str, Any] = dict.fromkeys(_PACKAGES)
    number, problem = _read(text, country=call.query.get("CountryCode", "US").upper() or "US")
    body |= {
        "calling_country_code": None,
        "country_code": None,
        "phone_number": text,
        "national_format": None,
        "valid": problem is None,
        "validation_errors": [problem] if problem else [],
        "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{text}",
    }
    if number is not None:
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        body |= {
            "calling_country_code": str(number.country_code),
            "country_code": phonenumbers.region_code_for_number(number),
            "phone_number": e164,
            "national_format": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL),
            "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{e164}",
        }
        if "line_type_intelligence" in fields and problem is None:
            body["line_type_intelligence"] = {
                "type": _LINE_TYPES.get(phonenumbers.number_type(number), "unknown"),
                "carrier_name": "Sandbox Mobile",
                "mobile_country_code": "001",
                "mobile_network_code": "01",
                "error_code": None,
            }
    return json_response(body)


def _read(text: str, *, country: str) -> tuple[phonenumbers.PhoneNumber | None, str | None]:
    if not re.search(r"\d", text):
        return None, "NOT_A_NUMBER"
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException as error:
        return None, _UNREADABLE.get(error.error_type, "NOT_A_NUMBER")
    reason = _REASONS.get(phonenumbers.is_possible_number_with_reason(number))
    if reason is None and not phonenumbers.is_valid_number(number):
        reason = "INVALID_BUT_POSSIBLE"
    return number, reason
