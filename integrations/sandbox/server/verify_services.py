"""Verify Services (verify.twilio.com/v2/Services)."""

import re
from typing import Any

from aiohttp import web

from .door import Call
from .errors import ApiError
from .model import Account, VerifyService
from .paging import list_with_meta
from .wire import iso8601, json_response, new_sid, read_bool

HOST = "https://verify.twilio.com/v2/Services"
_FLAGS = {
    "LookupEnabled": "lookup_enabled",
    "SkipSmsToLandlines": "skip_sms_to_landlines",
    "DtmfInputRequired": "dtmf_input_required",
    "Psd2Enabled": "psd2_enabled",
    "DoNotShareWarningEnabled": "do_not_share_warning_enabled",
    "CustomCodeEnabled": "custom_code_enabled",
}
_SUBRESOURCES = {
    "verifications": "Verifications",
    "verification_checks": "VerificationCheck",
    "rate_limits": "RateLimits",
    "messaging_configurations": "MessagingConfigurations",
    "entities": "Entities",
    "webhooks": "Webhooks",
    "access_tokens": "AccessTokens",
}


def service_json(account: Account, service: VerifyService) -> dict[str, Any]:
    """Return a Verify Service as the API shows it."""
    url = f"{HOST}/{service.sid}"
    return {
        "sid": service.sid,
        "account_sid": account.sid,
        "friendly_name": service.friendly_name,
        "code_length": service.code_length,
        **{name: getattr(service, name) for name in _FLAGS.values()},
        "tts_name": service.tts_name,
        "default_template_sid": None,
        "push": {"include_date": False, "apn_credential_sid": None, "fcm_credential_sid": None},
        "totp": {"issuer": None, "time_step": None, "code_length": None, "skew": None},
        "whatsapp": {"msg_service_sid": None, "from": None},
        "passkeys": None,
        "verify_event_subscription_enabled": False,
        "date_created": iso8601(service.created),
        "date_updated": iso8601(service.updated),
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in _SUBRESOURCES.items()},
    }


def find_service(call: Call) -> VerifyService:
    """Return the service in the path; one of another account does not exist."""
    service = call.account.verify_services.get(call.path["service_sid"])
    if service is None:
        raise call.not_found()
    return service


def list_services(call: Call) -> web.Response:
    """Answer the account's Verify Services."""
    account = call.account
    return list_with_meta(
        call,
        list(account.verify_services.values()),
        key="services",
        as_json=lambda service: service_json(account, service),
    )


def fetch_service(call: Call) -> web.Response:
    """Answer one Verify Service."""
    return json_response(service_json(call.account, find_service(call)))


def create_service(call: Call) -> web.Response:
    """Make a Verify Service."""
    now = call.world.now()
    service = VerifyService(sid=new_sid("VA"), friendly_name="", created=now, updated=now)
    if "FriendlyName" not in call.form:
        raise ApiError(60200, detail="FriendlyName")
    _change(service, call.form)
    call.account.verify_services[service.sid] = service
    return json_response(service_json(call.account, service), status=201)


def update_service(call: Call) -> web.Response:
    """Change what the form names."""
    service = find_service(call)
    _change(service, call.form)
    service.updated = call.world.now()
    return json_response(service_json(call.account, service))


def delete_service(call: Call) -> web.Response:
    """Delete a Verify Service."""
    del call.account.verify_services[find_service(call).sid]
    return web.Response(status=204)


def _change(service: VerifyService, form: dict[str, str]) -> None:
    name, length = form.get("FriendlyName"), form.get("CodeLength")
    if name is not None and (
        not re.fullmatch(r"[^\W_](?:[\w -]{0,30}[\w-])?", name.strip()) or len(re.findall(r"\d", name)) > 4
    ):
        raise ApiError(60200, detail="FriendlyName")
    if length is not None and (not length.isdecimal() or not 4 <= int(length) <= 10):
        raise ApiError(60200, detail="CodeLength")
    if name is not None:
        service.friendly_name = name.strip()
    if length is not None:
        service.code_length = int(length)
    if "TtsName" in form:
        service.tts_name = form["TtsName"]
    for field, attribute in _FLAGS.items():
        if field in form:
            setattr(service, attribute, read_bool(form[field]))
