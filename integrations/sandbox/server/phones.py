"""Virtual phones: what each number received and wrote, newest last."""

import heapq
import re
from typing import Any

from .model import Account, Message, Text
from .wire import iso8601
from .world import phone_of

# A code is read out and copied by people: 4 to 10 digits standing by themselves.
_CODE = re.compile(r"(?<![\d+])\d{4,10}(?!\d)")
_ARRIVED = {"delivered", "read", "received"}


def list_phones(account: Account, *, limit: int) -> list[dict[str, Any]]:
    """Return the phones of an account, those with news first: number, last message, counts, whether opted out."""
    opted_out = {phone for _sender, phone in account.blocked}
    numbers = heapq.nlargest(
        limit, account.by_phone.keys() | account.texts.keys(), key=lambda number: _last_news(account, number)
    )
    phones = []
    for number in numbers:
        entries = _entries(account, number)
        phones.append(
            {
                "number": number,
                "last": entries[-1],
                "received": sum(entry["direction"] == "to_phone" for entry in entries),
                "sent": sum(entry["direction"] == "from_phone" for entry in entries),
                "opted_out": number in opted_out,
            }
        )
    return phones


def _last_news(account: Account, number: str) -> float:
    messages, texts = account.by_phone.get(number), account.texts.get(number)
    return max(messages[-1].created if messages else 0.0, texts[-1].at if texts else 0.0)


def show_phone(account: Account, number: str, *, limit: int) -> dict[str, Any]:
    """Return one phone's conversation, oldest first; a phone that nobody wrote to is empty, not missing."""
    return {
        "number": number,
        "opted_out_of": sorted(sender for sender, phone in account.blocked if phone == number),
        "messages": _entries(account, number)[-limit:],
    }


def _entries(account: Account, number: str) -> list[dict[str, Any]]:
    entries = [_message_entry(message) for message in account.by_phone.get(number, ())]
    entries += [_text_entry(text) for text in account.texts.get(number, ())]
    entries.sort(key=lambda entry: entry["at_s"])
    return entries


def _message_entry(message: Message) -> dict[str, Any]:
    is_inbound = message.direction == "inbound"
    return {
        "direction": "from_phone" if is_inbound else "to_phone",
        "body": message.body,
        "at": iso8601(message.created),
        "at_s": message.created,
        "status": message.status,
        "arrived": message.status in _ARRIVED,
        "error_code": message.error_code,
        "from": phone_of(message) if is_inbound else message.from_ or message.sender,
        "to": message.to,
        "sid": message.sid,
        "media": list(message.media),
        "code": None if is_inbound else find_code(message.body),
    }


def _text_entry(text: Text) -> dict[str, Any]:
    return {
        "direction": "to_phone",
        "body": text.body,
        "at": iso8601(text.at),
        "at_s": text.at,
        "status": "delivered",
        "arrived": True,
        "error_code": None,
        "from": text.from_,
        "to": None,
        "sid": None,
        "media": [],
        "code": find_code(text.body),
    }


def find_code(text: str) -> str | None:
    """Return the first run of 4 to 10 digits in a text."""
    found = _CODE.search(text)
    return found[0] if found else None
