"""What happens to messages to a number with an outcome of its own, in words; built in, or set by a member."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.phones import pretty
from integrations.twilio.error_table import explain

from .server.outcomes import WELL_KNOWN, Outcome

REFUSED = "refused"


@dataclass(frozen=True)
class NumberOutcome:
    """A row of the table: a number, what happens to what is sent to it, and what Heliograph then shows."""

    number: str
    result: str
    shows: str
    error_code: int | None

    @property
    def pretty(self) -> str:
        return pretty(self.number)

    @property
    def error_title(self) -> str:
        return explain(self.error_code).title if self.error_code is not None else ""


def built_in_outcomes() -> list[NumberOutcome]:
    """Return the numbers whose outcome is always the same, in the order of the documentation."""
    return [_row(number, outcome) for number, outcome in WELL_KNOWN.items()]


def own_outcomes(dials: Mapping[str, Any]) -> list[NumberOutcome]:
    """Return the rows of the dial `outcomes`."""
    return [
        _row(number, Outcome(given.get("status", ""), given.get("error_code"), given.get("silent", False)))
        for number, given in dials["outcomes"].items()
    ]


def _row(number: str, outcome: Outcome) -> NumberOutcome:
    result, shows = _words(outcome)
    return NumberOutcome(number=number, result=result, shows=shows, error_code=outcome.error_code)


def _words(outcome: Outcome) -> tuple[str, str]:
    if outcome.refuses_verification:
        return "Verification codes are refused", "Messages arrive; asking for a code fails at once with this error."
    if outcome.refuses_message:
        return "Refused at once", "The message turns failed within a second; nothing reaches the phone."
    result, shows = {
        "": ("Delivered", "delivered."),
        "delivered": ("Delivered", "delivered."),
        "sent": ("Sent, and no delivery report ever comes", "sent, and stays so."),
        "undelivered": ("Undelivered", "sent first, then undelivered with this error."),
        "failed": ("Fails on the way", "accepted first, then failed with this error."),
    }[outcome.status]
    if not outcome.is_silent:
        return result, f"The message is {shows}"
    return f"{result}, without any status callback", f"Heliograph has to ask by itself; then the message is {shows}"
