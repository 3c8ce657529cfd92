"""A message on its way to Twilio, and the arguments the SDK wants for it."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integrations.twilio.errors import TwilioMisconfigured

# Wide enough for look-alikes, and nothing in it that could change a path.
_SID = re.compile(r"[A-Za-z0-9_-]{2,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to sign in: an API key (then with the account's SID) or the Account SID and Auth Token.

    An empty `base_url` means Twilio's own hosts.
    """

    username: str
    password: str = field(repr=False)
    account_sid: str = ""
    base_url: str = ""

    @property
    def account(self) -> str:
        """The Account SID, also where it is the user name; "" where only an API key is known."""
        return self.account_sid or (self.username if self.username.startswith("AC") else "")


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What is to be sent. `validity_period` is in seconds, `send_at` aware and only with a Messaging Service."""

    to: str
    body: str
    messaging_service_sid: str = ""
    from_: str = ""
    status_callback: str = ""
    validity_period: int | None = None
    send_at: datetime | None = None
    max_price: Decimal | None = None
    smart_encoded: bool | None = None
    reference: str = ""  # our own id of the message, for carriers that ask for one; Twilio has no place for it


def checked_sid(sid: str) -> str:
    """Return the SID, which becomes part of a path; raises TwilioMisconfigured where it is not plain."""
    if not _SID.fullmatch(sid):
        raise TwilioMisconfigured("A SID is missing or has characters that no SID has.")
    return sid


def create_arguments(message: OutgoingMessage) -> dict[str, Any]:
    """Return the SDK's arguments for `messages.create`; raises TwilioMisconfigured where Twilio could only refuse."""
    if not message.to or not message.body:
        raise TwilioMisconfigured("A message needs a recipient and a text.")
    if not message.messaging_service_sid and not message.from_:
        raise TwilioMisconfigured("A message needs a Messaging Service or a sender.")
    arguments: dict[str, Any] = {"to": message.to, "body": message.body}
    optional = {
        "messaging_service_sid": message.messaging_service_sid or None,
        "from_": message.from_ or None,
        "status_callback": message.status_callback or None,
        "validity_period": message.validity_period,
        "max_price": None if message.max_price is None else str(message.max_price),
        "smart_encoded": message.smart_encoded,
    }
    arguments.update({name: value for name, value in optional.items() if value is not None})
    if message.send_at is not None:
        if not message.messaging_service_sid:
            raise TwilioMisconfigured("Only a Messaging Service can send at a later time.")
        arguments |= {"send_at": in_utc(message.send_at), "schedule_type": "fixed"}
    return arguments


def list_arguments(
    *, to: str, sent_after: datetime | None, sent_before: datetime | None, page_size: int, limit: int
) -> dict[str, Any]:
    """Return the SDK's arguments for `messages.list`."""
    arguments: dict[str, Any] = {"to": to, "page_size": min(page_size, limit), "limit": limit}
    if sent_after is not None:
        arguments["date_sent_after"] = in_utc(sent_after)
    if sent_before is not None:
        arguments["date_sent_before"] = in_utc(sent_before)
    return arguments


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC: the SDK writes a Z behind any time it is given, whatever its zone."""
    if moment.tzinfo is None:
        raise TwilioMisconfigured("A time without a time zone was given.")
    return moment.astimezone(UTC)
