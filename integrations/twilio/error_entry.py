"""What one of Twilio's error codes means to us: the words people read and the decisions the engine takes."""

from dataclasses import dataclass
from enum import StrEnum


class Retry(StrEnum):
    """May the same request be made again, and when?"""

    NEVER = "never"  # it will be refused for the same reason
    LATER = "later"  # surely not delivered, and time alone may cure it
    AFTER_CHANGE = "after_change"  # a person has to change something first
    UNKNOWN = "unknown"  # it may have worked: look before repeating
    NOT_APPLICABLE = "not_applicable"  # a warning or somebody else's request: nothing of ours to repeat


class Charged(StrEnum):
    """Does Twilio charge for the message? Charges for failed ones differ by country and carrier: MAYBE says so."""

    NO = "no"
    YES = "yes"
    MAYBE = "maybe"


class Scope(StrEnum):
    """What the trouble is attached to, hence what else will fail in the same way."""

    CONNECTION = "connection"  # everything this connection sends
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    COUNTRY = "country"
    RATE = "rate"
    SERVICE = "service"  # trouble on Twilio's side or a carrier's
    REQUEST = "request"
    VERIFICATION = "verification"
    WEBHOOK = "webhook"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One error code in our own words."""

    code: int
    title: str
    meaning: str
    remedy: str
    charged: Charged
    retry: Retry
    scope: Scope
    is_permanent: bool


def describe(
    code: int, title: str, meaning: str, remedy: str, *, retry: Retry, scope: Scope, charged: Charged = Charged.NO
) -> ErrorEntry:
    """Build an entry; permanent is what neither time nor a second try will cure."""
    is_permanent = retry in (Retry.NEVER, Retry.AFTER_CHANGE)
    return ErrorEntry(code, title, meaning, remedy, charged, retry, scope, is_permanent)
