"""Messaging Services and the senders in their pools (messaging.twilio.com/v1)."""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .callback_urls import read_callback_url
from .door import Call
from .errors import ApiError
from .model import Account, AlphaSender, Number, Service
from .paging import list_with_meta
from .wire import iso8601, json_response, new_sid, read_bool

_HOST = "https://messaging.twilio.com/v1/Services"
_TEXTS = {"FriendlyName": "friendly_name", "Usecase": "usecase", "ScanMessageContent": "scan_message_content"}
_METHODS = {"InboundMethod": "inbound_method", "FallbackMethod": "fallback_method"}
_URLS = {"InboundRequestUrl": "inbound_request_url", "FallbackUrl": "fallback_url", "StatusCallback": "status_callback"}
_FLAGS = {
    "StickySender": "sticky_sender",
    "MmsConverter": "mms_converter",
    "SmartEncoding": "smart_encoding",
    "FallbackToLongCode": "fallback_to_long_code",
    "AreaCodeGeomatch": "area_code_geomatch",
    "SynchronousValidation": "synchronous_validation",
    "UseInboundWebhookOnNumber": "use_inbound_webhook_on_number",
}
_SUBRESOURCES = {
    "phone_numbers": "PhoneNumbers",
    "short_codes": "ShortCodes",
    "alpha_senders": "AlphaSenders",
    "messages": "Messages",
    "us_app_to_person": "Compliance/Usa2p",
    "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
    "channel_senders": "ChannelSenders",
    "destination_alpha_senders": "DestinationAlphaSenders",
}


def service_json(account: Account, service: Service) -> dict[str, Any]:
    """Return a Messaging Service as the API shows it."""
    url = f"{_HOST}/{service.sid}"
    body: dict[str, Any] = {
        "account_sid": account.sid,
        "sid": service.sid,
        "date_created": iso8601(service.created),
        "date_updated": iso8601(service.updated),
        "validity_period": service.validity_period,
        "us_app_to_person_registered": False,
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in _SUBRESOURCES.items()},
    }
    for names in (_TEXTS, _METHODS, _URLS, _FLAGS):
        body |= {name: getattr(service, name) for name in names.values()}
    return body


def find_service(call: Call) -> Service:
    """Return the service in the path; one of another account does not exist."""
    service = call.account.services.get(call.path["service_sid"])
    if service is None:
        raise call.not_found()
    return service


def list_services(call: Call) -> web.Response:
    """Answer the account's Messaging Services."""
    account = call.account
    return list_with_meta(
        call, list(account.services.values()), key="services", as_json=lambda service: service_json(account, service)
    )


def fetch_service(call: Call) -> web.Response:
    """Answer one Messaging Service."""
    return json_response(service_json(call.account, find_service(call)))


def create_service(call: Call) -> web.Response:
    """Make a Messaging Service with an empty pool."""
    if not call.form.get("FriendlyName", "").strip():
        raise ApiError(20001)
    now = call.world.now()
    service = Service(sid=new_sid("MG"), friendly_name="", created=now, updated=now)
    _change(service, call)
    call.account.services[service.sid] = service
    return json_response(service_json(call.account, service), status=201)


def update_service(call: Call) -> web.Response:
    """Change what the form names."""
    service = find_service(call)
    _change(service, call)
    service.updated = call.world.now()
    return json_response(service_json(call.account, service))


def delete_service(call: Call) -> web.Response:
    """Delete a Messaging Service; its numbers stay with the account."""
    service = find_service(call)
    for number in service.numbers:
        number.service_sid = ""
    del call.account.services[service.sid]
    return web.Response(status=204)


def _change(service: Service, call: Call) -> None:
    form = call.form
    validity = form.get("ValidityPeriod")
    if validity is not None and (not validity.isdecimal() or not 1 <= int(validity) <= 36_000):
        raise ApiError(21624)
    for field in _URLS:
        if form.get(field) and read_callback_url(form[field]) is None:
            raise ApiError(20001)
    if validity is not None:
        service.validity_period = int(validity)
    for names in (_TEXTS, _METHODS):
        for field, name in names.items():
            if field in form:
                setattr(service, name, form[field])
    for field, name in _URLS.items():
        if field in form:
            setattr(service, name, form[field] or None)
    for field, name in _FLAGS.items():
        if field in form:
            setattr(service, name, read_bool(form[field]))


# ---- senders


def _number_json(account: Account, service: Service, number: Number) -> dict[str, Any]:
    is_short = number.kind == "short_code"
    return {
        "sid": number.sid,
        "account_sid": account.sid,
        "service_sid": service.sid,
        "date_created": iso8601(number.created),
        "date_updated": iso8601(number.created),
        "short_code" if is_short else "phone_number": number.value,
        "country_code": number.country_code,
        "capabilities": list(number.capabilities),
        "url": f"{_HOST}/{service.sid}/{'ShortCodes' if is_short else 'PhoneNumbers'}/{number.sid}",
    }


def _alpha_json(account: Account, service: Service, sender: AlphaSender) -> dict[str, Any]:
    return {
        "sid": sender.sid,
        "account_sid": account.sid,
        "service_sid": service.sid,
        "date_created": iso8601(sender.created),
        "date_updated": iso8601(sender.created),
        "alpha_sender": sender.value,
        "capabilities": ["SMS"],
        "url": f"{_HOST}/{service.sid}/AlphaSenders/{sender.sid}",
    }


def list_pool_numbers(kind: str) -> Callable[[Call], web.Response]:
    """Make the handler that lists the phone numbers, or the short codes, of a service."""

    def answer(call: Call) -> web.Response:
        service = find_service(call)
        return list_with_meta(
            call,
            [number for number in service.numbers if number.kind == kind],
            key=f"{kind}s",
            as_json=lambda number: _number_json(call.account, service, number),
        )

    return answer


def add_pool_number(kind: str) -> Callable[[Call], web.Response]:
    """Make the handler that adds a phone number, or a short code, of the account to a service."""
    field = "ShortCodeSid" if kind == "short_code" else "PhoneNumberSid"

    def answer(call: Call) -> web.Response:
        service = find_service(call)
        sid = call.form.get(field, "").strip()
        for number in call.account.numbers.values():
            if number.sid == sid and number.kind == kind:
                break
        else:
            raise ApiError(20404, detail=f"/{sid[:34]}")
        if number.service_sid and number.service_sid != service.sid:
            raise ApiError(21712)
        if number not in service.numbers:
            number.service_sid = service.sid
            service.numbers.append(number)
        return json_response(_number_json(call.account, service, number), status=201)

    return answer


def fetch_pool_number(call: Call) -> web.Response:
    """Answer one number or short code of a service."""
    service = find_service(call)
    return json_response(_number_json(call.account, service, _find_number(call, service)))


def remove_pool_number(call: Call) -> web.Response:
    """Take a number or short code out of a service."""
    service = find_service(call)
    number = _find_number(call, service)
    service.numbers.remove(number)
    number.service_sid = ""
    return web.Response(status=204)


def _find_number(call: Call, service: Service) -> Number:
    for number in service.numbers:
        if number.sid == call.path["sid"]:
            return number
    raise call.not_found()


def list_alpha_senders(call: Call) -> web.Response:
    """Answer the alphanumeric senders of a service."""
    service = find_service(call)
    return list_with_meta(
        call,
        service.alpha_senders,
        key="alpha_senders",
        as_json=lambda sender: _alpha_json(call.account, service, sender),
    )


def add_alpha_sender(call: Call) -> web.Response:
    """Add an alphanumeric sender to a service."""
    service = find_service(call)
    value = call.form.get("AlphaSender", "").strip()
    if not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}", value):
        raise ApiError(21212)
    sender = AlphaSender(sid=new_sid("AI"), value=value, created=call.world.now())
    service.alpha_senders.append(sender)
    return json_response(_alpha_json(call.account, service, sender), status=201)


def remove_alpha_sender(call: Call) -> web.Response:
    """Take an alphanumeric sender out of a service."""
    service = find_service(call)
    for sender in service.alpha_senders:
        if sender.sid == call.path["sid"]:
            service.alpha_senders.remove(sender)
            return web.Response(status=204)
    raise call.not_found()
