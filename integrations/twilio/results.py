"""What Twilio answers, as frozen values with real types; nothing of the SDK leaves this package.

The `read_…` functions take the SDK's instances. They raise ValueError where an answer lacks what makes it one (its
SID), which the border turns into an unreadable answer. Auth tokens, which Twilio returns with an account, are dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

SenderKind = Literal["phone_number", "short_code", "alpha_sender"]


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account; status is active, suspended or closed, type Trial or Full, the owner differs for a subaccount."""

    sid: str
    friendly_name: str
    status: str
    type: str
    owner_account_sid: str


@dataclass(frozen=True, slots=True)
class BalanceInfo:
    balance: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class MessagingServiceInfo:
    """A Messaging Service; validity_period is in seconds, an empty inbound_request_url means: inbound is dropped."""

    sid: str
    account_sid: str
    friendly_name: str
    inbound_request_url: str
    use_inbound_webhook_on_number: bool
    status_callback: str
    smart_encoding: bool
    validity_period: int | None
    inbound_method: str = "POST"


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """A sender in the pool of a Messaging Service; value is the number, the short code or the name."""

    kind: SenderKind
    sid: str
    value: str
    country_code: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyServiceInfo:
    sid: str
    account_sid: str
    friendly_name: str
    code_length: int | None


@dataclass(frozen=True, slots=True)
class VerificationSnapshot:
    """A verification as Twilio saw it at that moment; `sends` counts its codes, 0 where the answer does not say.

    The answer to a check has the same shape. A wrong code is a good answer, too: its status is still pending.
    """

    sid: str
    status: str
    channel: str
    is_valid: bool
    sends: int = 0


@dataclass(frozen=True, slots=True)
class VerifyAttempt:
    """One code that a Verify Service sent, and how far it came: `state` is Twilio's word, "" where it says nothing.

    For a text it is the status of the message, for a call that of the call.
    """

    verification_sid: str
    channel: str
    state: str
    error_code: int | None
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class NumberInfo:
    """A number the account rents; capabilities are lower-case words such as sms, mms, voice.

    A TwiML App (sms_application_sid) goes before the sms_url.
    """

    sid: str
    phone_number: str
    capabilities: tuple[str, ...]
    status: str
    sms_url: str = ""
    sms_method: str = "POST"
    sms_application_sid: str = ""


@dataclass(frozen=True, slots=True)
class MessageSnapshot:
    """A message as Twilio saw it at that moment; the price is negative as at Twilio, and None until it is known."""

    sid: str
    account_sid: str
    status: str
    to: str
    from_: str
    body: str
    direction: str
    messaging_service_sid: str
    num_segments: int | None
    price: Decimal | None
    price_unit: str
    error_code: int | None
    date_created: datetime | None
    date_sent: datetime | None
    date_updated: datetime | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of Twilio's list of messages, newest first; `next_page` is "" on the last one."""

    messages: tuple[MessageSnapshot, ...]
    next_page: str


@dataclass(frozen=True, slots=True)
class PriceLine:
    """What one segment costs to a carrier from a type of sender, in Twilio's words (local, mobile, shortcode, …)."""

    carrier: str
    number_type: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class CountryPrices:
    """The prices of outbound SMS to one country, as this account pays them; `unit` is the currency, ISO 4217."""

    region: str
    unit: str
    lines: tuple[PriceLine, ...]


def read_account(account: Any) -> AccountInfo:
    return AccountInfo(
        sid=_sid(account.sid),
        friendly_name=_text(account.friendly_name),
        status=_text(account.status),
        type=_text(account.type),
        owner_account_sid=_text(account.owner_account_sid),
    )


def read_balance(balance: Any) -> BalanceInfo:
    amount = _decimal(balance.balance)
    if amount is None:
        raise ValueError("a balance without an amount")
    return BalanceInfo(balance=amount, currency=_text(balance.currency).upper())


def read_messaging_service(service: Any) -> MessagingServiceInfo:
    return MessagingServiceInfo(
        sid=_sid(service.sid),
        account_sid=_text(service.account_sid),
        friendly_name=_text(service.friendly_name),
        inbound_request_url=_text(service.inbound_request_url),
        use_inbound_webhook_on_number=bool(service.use_inbound_webhook_on_number),
        status_callback=_text(service.status_callback),
        smart_encoding=bool(service.smart_encoding),
        validity_period=_integer(service.validity_period),
        inbound_method=_text(service.inbound_method) or "POST",
    )


def read_sender(sender: Any, *, kind: SenderKind) -> SenderInfo:
    return SenderInfo(
        kind=kind,
        sid=_sid(sender.sid),
        value=_text(getattr(sender, kind)),  # the SDK's attribute has the name of the kind
        country_code=_text(getattr(sender, "country_code", "")),
        capabilities=_words(sender.capabilities),
    )


def read_verify_service(service: Any) -> VerifyServiceInfo:
    return VerifyServiceInfo(
        sid=_sid(service.sid),
        account_sid=_text(service.account_sid),
        friendly_name=_text(service.friendly_name),
        code_length=_integer(service.code_length),
    )


def read_verification(verification: Any) -> VerificationSnapshot:
    sends = getattr(verification, "send_code_attempts", None)
    return VerificationSnapshot(
        sid=_sid(verification.sid),
        status=_text(verification.status),
        channel=_text(verification.channel),
        is_valid=bool(verification.valid),
        sends=len(sends) if isinstance(sends, list) else 0,
    )


def read_attempt(attempt: Any) -> VerifyAttempt:
    """Read an attempt. What its `channel_data` holds differs by channel and is promised nowhere: it may be missing."""
    data = attempt.channel_data if isinstance(attempt.channel_data, dict) else {}
    return VerifyAttempt(
        verification_sid=_text(attempt.verification_sid) or _text(data.get("verification_sid")),
        channel=_text(attempt.channel).lower(),
        state=(_text(data.get("message_status")) or _text(data.get("call_status"))).lower(),
        error_code=_integer(data.get("error_code")) or None,
        updated=attempt.date_updated,
    )


def read_number(number: Any) -> NumberInfo:
    return NumberInfo(
        sid=_sid(number.sid),
        phone_number=_text(number.phone_number),
        capabilities=_words(number.capabilities),
        status=_text(number.status),
        sms_url=_text(number.sms_url),
        sms_method=_text(number.sms_method) or "POST",
        sms_application_sid=_text(number.sms_application_sid),
    )


def read_message(message: Any) -> MessageSnapshot:
    return MessageSnapshot(
        sid=_sid(message.sid),
        account_sid=_text(message.account_sid),
        status=_text(message.status),
        to=_text(message.to),
        from_=_text(message.from_),
        body=_text(message.body),
        direction=_text(message.direction),
        messaging_service_sid=_text(message.messaging_service_sid),
        num_segments=_integer(message.num_segments),
        price=_decimal(message.price),
        price_unit=_text(message.price_unit).upper(),
        error_code=_integer(message.error_code),
        date_created=message.date_created,
        date_sent=message.date_sent,
        date_updated=message.date_updated,
    )


def read_country_prices(country: Any) -> CountryPrices:
    unit = _text(country.price_unit).upper()
    if len(unit) != 3:
        raise ValueError("prices without a currency")
    return CountryPrices(
        region=_text(country.iso_country).upper(), unit=unit, lines=tuple(_price_lines(country.outbound_sms_prices))
    )


def _price_lines(carriers: Any) -> Iterator[PriceLine]:
    """Read the price in force: `base_price` is the list's, `current_price` what this account pays."""
    for carrier in carriers or ():
        for entry in carrier.get("prices") or ():
            price = _decimal(entry.get("current_price"))
            if price is not None and price >= 0:
                yield PriceLine(
                    carrier=_text(carrier.get("carrier")), number_type=_text(entry.get("number_type")), price=price
                )


def _sid(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("an answer without a SID")
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _decimal(value: object) -> Decimal | None:
    """Read an amount from text; Decimal from a float would invent digits."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _words(capabilities: object) -> tuple[str, ...]:
    """Read capabilities: Twilio writes a list (["SMS"]) in one place and flags ({"sms": true}) in another."""
    if isinstance(capabilities, dict):
        return tuple(sorted(str(name).lower() for name, is_there in capabilities.items() if is_there))
    if isinstance(capabilities, list):
        return tuple(sorted(str(name).lower() for name in capabilities))
    return ()
