"""Properties of accounts that people and tests change through the control API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.credentials import derive_auth_token

from .callback_urls import read_callback_url
from .errors import ControlError
from .model import Account, Number, Service
from .recipients import read_recipient
from .world import World, add_number


@dataclass(frozen=True)
class _Property:
    accepts: Callable[[object], bool]
    hint: str


def _is_url_or_empty(value: object) -> bool:
    return value in ("", None) or (isinstance(value, str) and read_callback_url(value) is not None)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200


_FLAG = _Property(lambda value: isinstance(value, bool), "true or false")
_TEXT = _Property(_is_text, "a text of 1 to 200 characters")
_URL = _Property(_is_url_or_empty, "an http(s) address, or empty")
_ACCOUNT = {
    "friendly_name": _TEXT,
    "status": _Property(lambda value: value in ("active", "suspended", "closed"), "active, suspended or closed"),
    "type": _Property(lambda value: value in ("Full", "Trial"), "Full or Trial"),
    "balance": _TEXT,
    "currency": _TEXT,
    "owner_account_sid": _Property(lambda value: isinstance(value, str), "an Account SID, or empty"),
    "is_key_main": _FLAG,
    "is_key_revoked": _FLAG,
    "is_token_revoked": _FLAG,
    "is_china_vetted": _FLAG,
    "token_generation": _Property(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a whole number from 0"
    ),
    "verified_numbers": _Property(
        lambda value: isinstance(value, list) and all(isinstance(n, str) and read_recipient(n) for n in value),
        "a list of numbers in E.164",
    ),
}
_SERVICE = {
    "inbound_request_url": _URL,
    "fallback_url": _URL,
    "status_callback": _URL,
    "friendly_name": _TEXT,
    "smart_encoding": _FLAG,
    "use_inbound_webhook_on_number": _FLAG,
    "advanced_opt_out": _FLAG,
}
_NUMBER = {"sms_url": _URL, "sms_fallback_url": _URL, "friendly_name": _TEXT}


def _check(fields: dict[str, Any], known: dict[str, _Property]) -> None:
    errors = {}
    for name, value in fields.items():
        if name not in known:
            errors[name] = "There is no such property. Known here: " + ", ".join(sorted(known)) + "."
        elif not known[name].accepts(value):
            errors[name] = f"This property is {known[name].hint}."
    if errors:
        raise ControlError(errors)


def change_account(world: World, account: Account, fields: dict[str, Any]) -> None:
    """Change properties of an account; a higher `token_generation` rotates its auth token."""
    _check(fields, _ACCOUNT)
    for name, value in fields.items():
        setattr(account, name, set(value) if name == "verified_numbers" else value)
    if "token_generation" in fields:
        account.auth_token = derive_auth_token(world.secret, account.sid, generation=account.token_generation)
        world.principals.clear()


def change_service(account: Account, service_sid: str, fields: dict[str, Any]) -> None:
    """Change properties of a Messaging Service; `default` names the one the account came with."""
    _check(fields, _SERVICE)
    service = next(iter(account.services.values()), None) if service_sid == "default" else None
    service = service or account.services.get(service_sid)
    if service is None:
        raise ControlError({"service": "The account has no such Messaging Service."}, status=404)
    for name, value in fields.items():
        setattr(service, name, (value or None) if name in {"inbound_request_url", "fallback_url"} else value)
    if "status_callback" in fields:
        service.status_callback = fields["status_callback"] or None


def add_sender(world: World, account: Account, fields: dict[str, Any]) -> None:
    """Give the account a phone number (E.164) or a short code (5 or 6 digits); both outside every pool."""
    value = fields.get("number")
    if not isinstance(value, str) or value in account.numbers:
        raise ControlError({"number": "A number that the account does not have yet."})
    if value.isdecimal() and len(value) in {5, 6}:
        add_number(account, value, now=world.now(), kind="short_code")
        return
    recipient = read_recipient(value)
    if recipient is None:
        raise ControlError({"number": "A phone number in E.164 or a short code of 5 or 6 digits."})
    add_number(account, recipient.e164, now=world.now())


def change_number(account: Account, value: str, fields: dict[str, Any]) -> None:
    """Change properties of a number."""
    _check(fields, _NUMBER)
    number = account.numbers.get(value)
    if number is None:
        raise ControlError({"number": "The account has no such number."}, status=404)
    for name, given in fields.items():
        setattr(number, name, given or "")


def account_settings(account: Account) -> dict[str, Any]:
    """Return an account with its services and senders, for the control API: no token, no secret."""
    return {
        "sid": account.sid,
        **{name: getattr(account, name) for name in _ACCOUNT if name != "verified_numbers"},
        "verified_numbers": sorted(account.verified_numbers),
        "disabled_countries": sorted(account.disabled_regions),
        "blocked": sorted([sender, phone] for sender, phone in account.blocked),
        "messages": len(account.order),
        "numbers": [_number_settings(number) for number in account.numbers.values()],
        "messaging_services": [_service_settings(service) for service in account.services.values()],
        "verify_services": [
            {"sid": service.sid, "friendly_name": service.friendly_name, "code_length": service.code_length}
            for service in account.verify_services.values()
        ],
        "webhook_failures": list(account.webhook_failures),
    }


def _number_settings(number: Number) -> dict[str, Any]:
    return {
        "sid": number.sid,
        "number": number.value,
        "kind": number.kind,
        "messaging_service_sid": number.service_sid or None,
        **{name: getattr(number, name) for name in _NUMBER},
    }


def _service_settings(service: Service) -> dict[str, Any]:
    return {
        "sid": service.sid,
        **{name: getattr(service, name) for name in _SERVICE},
        "senders": [number.value for number in service.numbers] + [sender.value for sender in service.alpha_senders],
    }
