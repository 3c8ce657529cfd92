"""Reads: the sandbox connections of an organization, their virtual phones, and what stands on them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from integrations.connections.models import Connection
from integrations.connections.selectors import connections_of
from integrations.organizations.models import Organization
from integrations.phones import find_region, flag_emoji, pretty, region_name
from integrations.twilio.error_table import explain

from .control import SandboxControl
from .phone_tokens import seal_number

PER_PAGE = 50
_SEARCHED = 5000  # the newest so many phones are searched; it is also the most that the sandbox tells at once

# What a status means to somebody who looks at the phone: tone, icon and word of its pill.
_STATES: dict[str, tuple[str, str, str]] = {
    "scheduled": ("grey", "schedule", "scheduled"),
    "accepted": ("grey", "hourglass_empty", "accepted"),
    "queued": ("grey", "hourglass_empty", "queued"),
    "sending": ("blue", "outbound", "sending"),
    "sent": ("blue", "send", "sent"),
    "delivered": ("green", "check_circle", "delivered"),
    "read": ("green", "done_all", "read"),
    "received": ("green", "check_circle", "received"),
    "undelivered": ("amber", "warning", "undelivered"),
    "failed": ("red", "error", "failed"),
    "canceled": ("grey", "cancel", "canceled"),
}
_LOST = {"undelivered", "failed", "canceled"}


@dataclass(frozen=True)
class Number:
    """A phone number as pages show it."""

    e164: str

    @property
    def pretty(self) -> str:
        return pretty(self.e164)

    @property
    def flag(self) -> str:
        return flag_emoji(find_region(self.e164))

    @property
    def country(self) -> str:
        region = find_region(self.e164)
        return region_name(region) if region else ""


@dataclass(frozen=True)
class PhoneRow:
    """A virtual phone in the list."""

    number: Number
    token: str
    last_text: str
    last_is_reply: bool
    last_at: datetime
    received: int
    sent: int
    is_opted_out: bool


@dataclass(frozen=True)
class Bubble:
    """A text on a phone. `before`, `code`, `after` are its text with the code taken out; else all is `before`."""

    is_reply: bool
    sender: str
    before: str
    code: str
    after: str
    at: datetime
    pill: Mapping[str, str]
    is_lost: bool
    error_code: int | None
    error_title: str
    media: int


@dataclass(frozen=True)
class Conversation:
    """What stands on a virtual phone, oldest first."""

    number: Number
    bubbles: list[Bubble]
    opted_out_of: list[str]
    senders: list[str] = field(default_factory=list)  # those who wrote to it, the last one first


@dataclass(frozen=True)
class PhonePage:
    """A page of the list."""

    rows: list[PhoneRow]
    number: int
    has_more: bool


def control() -> SandboxControl:
    """Return the way to the sandbox's control API."""
    return SandboxControl(settings.SANDBOX_URL, settings.SANDBOX_SECRET)


def sandbox_connections(organization: Organization) -> QuerySet[Connection]:
    """Return the organization's sandbox connections, the default one first."""
    return connections_of(organization, with_disconnected=False).filter(mode=Connection.Mode.SANDBOX)


def list_phones(connection: Connection, *, wanted: str = "", page: int = 1) -> PhonePage:
    """Return a page of the connection's phones, those with news first; `wanted` is a part of a number or a text."""
    start = (page - 1) * PER_PAGE
    limit = _SEARCHED if wanted else min(start + PER_PAGE + 1, _SEARCHED)
    phones = control().phones(connection.account_sid, limit=limit)
    if wanted:
        phones = [phone for phone in phones if _fits(phone, wanted)]
    rows = [_phone_row(connection, phone) for phone in phones[start : start + PER_PAGE]]
    return PhonePage(rows=rows, number=page, has_more=len(phones) > start + PER_PAGE)


def _fits(phone: Mapping[str, Any], wanted: str) -> bool:
    digits = re.sub(r"\D", "", wanted)
    # National writing has a 0 where the international one has the country.
    is_number = len(digits) >= 2 and not re.search(r"[^\W\d_]", wanted)
    if is_number and digits.removeprefix("00").lstrip("0") in phone["number"]:
        return True
    return wanted.casefold() in phone["last"]["body"].casefold()


def _phone_row(connection: Connection, phone: Mapping[str, Any]) -> PhoneRow:
    return PhoneRow(
        number=Number(phone["number"]),
        token=seal_number(phone["number"], connection_id=connection.pk),
        last_text=phone["last"]["body"],
        last_is_reply=phone["last"]["direction"] == "from_phone",
        last_at=datetime.fromisoformat(phone["last"]["at"]),
        received=phone["received"],
        sent=phone["sent"],
        is_opted_out=phone["opted_out"],
    )


def read_conversation(connection: Connection, number: str) -> Conversation:
    """Return what stands on a phone; one that nobody wrote to is empty."""
    phone = control().phone(connection.account_sid, number)
    incoming = [entry["from"] for entry in reversed(phone["messages"]) if entry["direction"] == "to_phone"]
    return Conversation(
        number=Number(number),
        bubbles=[_bubble(entry) for entry in phone["messages"]],
        opted_out_of=[pretty(sender) for sender in phone["opted_out_of"] if not sender.startswith("MG")],
        senders=list(dict.fromkeys(sender for sender in incoming if sender)),
    )


def _bubble(entry: Mapping[str, Any]) -> Bubble:
    body, code = entry["body"], entry["code"] or ""
    found = re.search(rf"(?<![\d+]){code}(?!\d)", body) if code else None
    tone, icon, label = _STATES.get(entry["status"], ("grey", "help", entry["status"]))
    return Bubble(
        is_reply=entry["direction"] == "from_phone",
        sender=pretty(entry["from"] or ""),
        before=body[: found.start()] if found else body,
        code=code if found else "",
        after=body[found.end() :] if found else "",
        at=datetime.fromisoformat(entry["at"]),
        pill={"tone": tone, "icon": icon, "label": label},
        is_lost=entry["status"] in _LOST,
        error_code=entry["error_code"],
        error_title=explain(entry["error_code"]).title if entry["error_code"] else "",
        media=len(entry["media"]),
    )


def own_numbers(connection: Connection) -> list[str]:
    """Return the numbers and short codes of the account, which a phone can write to."""
    return [number["number"] for number in control().account(connection.account_sid)["numbers"]]


def is_twilio_number(connection: Connection, number: str) -> bool:
    """Tell whether the number belongs to the account itself, which cannot be a phone then."""
    return number in own_numbers(connection)
