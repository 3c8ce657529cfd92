"""POST Messages: what Twilio refuses, which sender a Messaging Service takes, and the message that comes of it."""

import calendar
import re
import time
from dataclasses import dataclass

from aiohttp import web

from .callback_urls import read_callback_url
from .door import Call
from .errors import ApiError
from .messages import message_json
from .model import Account, CallbackTarget, Message, Service
from .outcomes import Outcome
from .progress import plan
from .recipients import Recipient, is_landline, lies_in, read_recipient
from .segments import count_segments, smart_encode
from .wire import json_response, new_sid

BODY_AT_MOST = 1600
_MEDIA_AT_MOST = 10
_VALIDITY_DEFAULT = 36_000
_SCHEDULE_FROM, _SCHEDULE_TO = 300, 35 * 86_400
_ALPHA_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
_TRIAL_PREFIX = "[Trial account] "


@dataclass(slots=True)
class _Sender:
    """Where the message is sent from, and through which service."""

    value: str
    service: Service | None


def create_message(call: Call) -> web.Response:
    """Accept or refuse a message."""
    message = accept(call)
    call.account.counts["processed"] += 1
    return json_response(message_json(message), status=201)


def accept(call: Call) -> Message:
    """Check a request as Twilio does, store the message and set it on its way; raises ApiError."""
    account, form = call.account, call.form
    to, body = form.get("To", "").strip(), form.get("Body", "")
    media = read_content(call)
    _refuse_channels(to, form.get("From", ""))
    recipient = read_recipient(to)
    if recipient is None:
        raise ApiError(21211, detail=to)
    outcome = account.dials.outcomes.get(recipient.e164)
    if outcome is not None and outcome.refuses_message:
        raise ApiError(outcome.error_code or 20001, detail=recipient.e164)
    callback = _read_callback(form.get("StatusCallback", ""))
    sender = _find_sender(
        account, recipient, from_=form.get("From", "").strip(), mg=form.get("MessagingServiceSid", "")
    )
    validity = _read_validity(form.get("ValidityPeriod"), service=sender.service)
    send_in = _read_schedule(call, has_service=sender.service is not None)
    _refuse_recipient(account, recipient)
    outcome = _refuse_unsubscribed(account, recipient, sender) or outcome

    service = sender.service
    if account.type == "Trial":
        body = _TRIAL_PREFIX + body
    smart = form.get("SmartEncoded", "").lower()
    if smart == "true" or (service is not None and service.smart_encoding and smart != "false"):
        body = smart_encode(body)
    if callback is None and service is not None and service.status_callback:
        callback = read_callback_url(service.status_callback)
    now = call.world.now()
    account.message_count += 1
    message = Message(
        sid=new_sid("MM" if media else "SM"),
        account=account,
        number=account.message_count,
        to=recipient.e164,
        body=body,
        direction="outbound-api",
        status="queued" if service is None else "scheduled" if send_in is not None else "accepted",
        created=now,
        updated=now,
        from_=sender.value if service is None else None,
        sender=sender.value,
        service_sid=None if service is None else service.sid,
        segments=count_segments(body),
        media=media,
        calling_code=recipient.calling_code,
        callback=callback,
    )
    queued_in = None
    if service is not None:
        queued_in = account.dials.settings["carrier"]["queued_after_s"] if send_in is None else send_in
    plan(message, outcome=outcome, validity=validity, queued_in=queued_in)
    call.world.store(message, phone=message.to)
    call.world.progress.begin(message)
    return message


def read_content(call: Call) -> tuple[str, ...]:
    """Check recipient, sender and content for presence; returns the media addresses."""
    form = call.form
    if not form.get("To", "").strip():
        raise ApiError(21604)
    if not form.get("From", "").strip() and not form.get("MessagingServiceSid", "").strip():
        raise ApiError(21603)
    if form.get("ContentSid"):
        raise ApiError(20501, detail="messages from content templates (ContentSid)")
    media: tuple[str, ...] = ()
    if "MediaUrl" in form:
        media = tuple(value for name, value in call.pairs if name == "MediaUrl" and value)
        if len(media) > _MEDIA_AT_MOST:
            raise ApiError(21623)
        if not all(read_callback_url(address) for address in media):
            raise ApiError(21620)
    body = form.get("Body", "")
    if not body.strip() and not media:
        raise ApiError(21602)
    if len(body) > BODY_AT_MOST:
        raise ApiError(21617)
    return media


def _refuse_channels(to: str, from_: str) -> None:
    """Refuse WhatsApp and its like: no account of the sandbox has such a sender."""
    channel_to, channel_from = (
        to.partition(":")[0] if ":" in to else "",
        from_.partition(":")[0] if ":" in from_ else "",
    )
    if channel_to != channel_from and channel_from:
        raise ApiError(21910)
    if channel_to or channel_from:
        raise ApiError(63007)


def _read_callback(url: str) -> CallbackTarget | None:
    if not url:
        return None
    target = read_callback_url(url)
    if target is None:
        raise ApiError(21609)
    return target


def _read_validity(text: str | None, *, service: Service | None) -> int:
    if not text:
        return _VALIDITY_DEFAULT if service is None else service.validity_period
    if not text.isdecimal() or not 1 <= int(text) <= _VALIDITY_DEFAULT:
        raise ApiError(21624)
    return int(text)


def _read_schedule(call: Call, *, has_service: bool) -> float | None:
    """Return in how many seconds the message is due, or None for now."""
    kind, text = call.form.get("ScheduleType", ""), call.form.get("SendAt", "")
    if not kind and not text:
        return None
    if not has_service:
        raise ApiError(35118)
    if kind != "fixed" or not text:
        raise ApiError(35111)
    try:
        at = calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError as error:
        raise ApiError(35114) from error
    seconds = at - call.world.now()
    if not _SCHEDULE_FROM <= seconds <= _SCHEDULE_TO:
        raise ApiError(35114)
    return seconds


# ---- senders


def _find_sender(account: Account, recipient: Recipient, *, from_: str, mg: str) -> _Sender:
    mg = mg.strip()
    if not mg:
        return _Sender(_check_from(account, recipient, from_), None)
    if not re.fullmatch(r"MG[0-9a-fA-F]{32}", mg):
        raise ApiError(21705)
    service = account.services.get(mg)
    if service is None:
        raise ApiError(21701)
    if not service.numbers and not service.alpha_senders:
        raise ApiError(21704)
    if from_:
        pool = [number.value for number in service.numbers] + [alpha.value for alpha in service.alpha_senders]
        if from_ not in pool:
            raise ApiError(21606, detail=from_)
        return _Sender(from_, service)
    return _Sender(_choose_from_pool(service, recipient), service)


def _check_from(account: Account, recipient: Recipient, from_: str) -> str:
    number = account.numbers.get(from_)
    if number is None and from_.startswith("+"):
        read = read_recipient(from_)
        if read is None:
            raise ApiError(21212, detail=from_)
        number = account.numbers.get(read.e164)
        if number is None:
            raise ApiError(21606, detail=from_)
    if number is not None:
        if number.value == recipient.e164:
            raise ApiError(21266)
        if "SMS" not in number.capabilities:
            raise ApiError(21606, detail=from_)
        return number.value
    if from_.isdecimal():
        raise ApiError(21606, detail=from_)
    if not _ALPHA_SENDER.fullmatch(from_):
        raise ApiError(21212)
    if account.type == "Trial":
        raise ApiError(21267)
    if recipient.calling_code == 1:
        raise ApiError(21612)  # North America takes no alphanumeric senders
    return from_


def _choose_from_pool(service: Service, recipient: Recipient) -> str:
    """Take the same sender for the same recipient every time: of their country, else alphanumeric, else any number."""
    numbers = [n.value for n in service.numbers if n.value != recipient.e164 and n.kind == "phone_number"]
    local = [value for value in numbers if value.startswith(f"+{recipient.calling_code}")]
    short = [n.value for n in service.numbers if n.kind == "short_code" and recipient.calling_code == 1]
    alpha = [] if recipient.calling_code == 1 else [sender.value for sender in service.alpha_senders]
    for choice in (short, local, alpha, numbers):
        if choice:
            return choice[0] if len(choice) == 1 else choice[int(recipient.e164[-4:]) % len(choice)]
    raise ApiError(21703)


# ---- recipients


def _refuse_recipient(account: Account, recipient: Recipient) -> None:
    if account.type == "Trial" and recipient.e164 not in account.verified_numbers:
        raise ApiError(21608, detail=recipient.e164)
    if lies_in(recipient, account.disabled_regions):
        raise ApiError(21408, detail=recipient.e164)
    if account.dials.settings["refuse_landlines"] and is_landline(recipient.e164):
        raise ApiError(21614, detail=recipient.e164)


def _refuse_unsubscribed(account: Account, recipient: Recipient, sender: _Sender) -> Outcome | None:
    """Refuse a message to someone who has said STOP; with Advanced Opt-Out it is accepted and fails afterwards."""
    if not account.blocked:
        return None
    if sender.service is None:
        if (sender.value, recipient.e164) in account.blocked:
            raise ApiError(21610)
        return None
    if (sender.service.sid, recipient.e164) not in account.blocked:
        return None
    if sender.service.advanced_opt_out:
        return Outcome("failed", 21610)
    raise ApiError(21610)
