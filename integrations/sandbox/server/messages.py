"""Messages as a resource: how they are shown, listed, redacted, canceled and deleted."""

import calendar
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from aiohttp import web

from .door import Call
from .errors import ApiError
from .model import Message
from .paging import list_of_2010, page_number, page_size
from .prices import CURRENCY
from .recipients import read_recipient
from .wire import json_response, rfc2822

_NOT_QUEUED_YET = {"accepted", "scheduled"}


def message_json(message: Message) -> dict[str, Any]:
    """Return the message as the API shows it."""
    uri = f"/2010-04-01/Accounts/{message.account.sid}/Messages/{message.sid}"
    return {
        "account_sid": message.account.sid,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": rfc2822(message.created),
        "date_sent": rfc2822(message.sent),
        "date_updated": rfc2822(message.updated),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None if message.error_code is None else f"Error {message.error_code}",
        "from": message.from_,
        "messaging_service_sid": message.service_sid,
        "num_media": str(len(message.media)),
        "num_segments": "0" if message.status in _NOT_QUEUED_YET else str(message.segments),
        "price": message.price,
        "price_unit": CURRENCY,
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _find(call: Call) -> Message:
    message = call.account.messages.get(call.path["sid"])
    if message is None:
        raise call.not_found()
    return message


def fetch_message(call: Call) -> web.Response:
    """Answer one message."""
    return json_response(message_json(_find(call)))


def update_message(call: Call) -> web.Response:
    """Redact the text (Body="") or cancel a scheduled message (Status=canceled)."""
    message = _find(call)
    status, body = call.form.get("Status"), call.form.get("Body")
    if status is None and body is None:
        raise ApiError(20001)
    if status is not None:
        if status != "canceled":
            raise ApiError(20001)
        if message.status != "scheduled":
            raise ApiError(30409)
        message.steps = ()
        call.world.progress.enter(message, "canceled")
    if body is not None:
        if body:
            raise ApiError(20001)
        message.body = ""
        message.updated = call.world.now()
    return json_response(message_json(message))


def delete_message(call: Call) -> web.Response:
    """Delete a message for good."""
    call.world.remove(_find(call))
    return web.Response(status=204)


# ---- lists


def list_messages(call: Call) -> web.Response:
    """Answer a page of messages, newest first, filtered by To, From and the day or time they were sent."""
    size, page = page_size(call), page_number(call)
    filters = {name: value for name in _FILTERS if (value := call.query.get(name))}
    found = _matching(call, filters)
    token = call.query.get("PageToken")
    if token is None and page:
        found = islice(found, page * size, None)
    items = list(islice(found, size + 1))
    next_token = f"PA{items[size - 1].number}" if len(items) > size else None
    return list_of_2010(
        call, [message_json(m) for m in items[:size]], key="messages", filters=filters, next_token=next_token
    )


_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


def _matching(call: Call, filters: dict[str, str]) -> Iterator[Message]:
    to, from_ = _as_stored(filters.get("To")), _as_stored(filters.get("From"))
    earliest, latest = _sent_window(filters)
    lag = call.account.dials.settings["list_lag_ms"] / 1000
    visible_until = call.world.now() - lag if lag else None
    for message in _newest_first(call, to, from_):
        if to is not None and message.to != to:
            continue
        if from_ is not None and message.from_ != from_:
            continue
        if visible_until is not None and message.created > visible_until:
            continue
        # What has not been sent has no date, and no date filter finds it.
        if earliest is not None and (message.sent is None or message.sent < earliest):
            continue
        if latest is not None and (message.sent is None or message.sent >= latest):
            continue
        yield message


def _newest_first(call: Call, to: str | None, from_: str | None) -> Iterable[Message]:
    account = call.account
    for phone in (to, from_):
        # The far end's number leads straight to a few messages; our own senders would not.
        if phone is not None and phone not in account.numbers and phone in account.by_phone:
            candidates = account.by_phone[phone]
            break
    else:
        if to is not None and to not in account.numbers:
            return ()
        candidates = account.order
    token = call.query.get("PageToken")
    if token is not None:
        if not token[2:].isdecimal():
            raise ApiError(20001)
        candidates = candidates[: bisect_left(candidates, int(token[2:]), key=lambda message: message.number)]
    return reversed(candidates)


def _as_stored(text: str | None) -> str | None:
    if text is None:
        return None
    recipient = read_recipient(text)
    return text.strip() if recipient is None else recipient.e164


def _sent_window(filters: dict[str, str]) -> tuple[float | None, float | None]:
    """Return from when (inclusive) and until when (exclusive); dates are whole days in UTC."""
    earliest = latest = None
    if "DateSent" in filters:
        earliest, latest = _read_moment(filters["DateSent"])
    if "DateSent>" in filters:
        earliest = _read_moment(filters["DateSent>"])[0]
    if "DateSent<" in filters:
        latest = _read_moment(filters["DateSent<"])[1]
    return earliest, latest


def _read_moment(text: str) -> tuple[float, float]:
    """Read a date or a UTC time: its beginning, and its end (a day or a second later)."""
    for pattern, length in (("%Y-%m-%d", 86_400), ("%Y-%m-%dT%H:%M:%SZ", 1)):
        try:
            start = calendar.timegm(time.strptime(text.strip(), pattern))
        except ValueError:
            continue
        return start, start + length
    raise ApiError(20001)
