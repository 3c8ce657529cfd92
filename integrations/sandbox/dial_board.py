"""The dials as people see them: what each is called, in which unit, and what one will notice in Heliograph.

The document itself is the sandbox's (server/dials.py). Here `path` names a place in it (`callbacks.delay_ms`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .server.dials import DEFAULTS, merge


class Unit(StrEnum):
    """How a dial is entered. The document has milliseconds for some seconds, and shares of 1 for per cent."""

    SECONDS = "s"
    SECONDS_OF_MS = "s of ms"
    PER_CENT = "%"
    PER_SECOND = "per second"
    WEIGHT = "weight"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    CODES = "codes"

    @property
    def sign(self) -> str:
        """What stands behind the field."""
        return {Unit.SECONDS: "s", Unit.SECONDS_OF_MS: "s", Unit.PER_CENT: "%", Unit.PER_SECOND: "per s"}.get(self, "")


@dataclass(frozen=True)
class Dial:
    """One dial. Bounds are in the unit in which people enter it; an optional one may be empty: None in the document."""

    path: str
    label: str
    notice: str
    unit: Unit
    low: float = 0
    high: float = 0
    is_optional: bool = False
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def field_name(self) -> str:
        return self.path.replace(".", "__")

    def shown(self, value: Any) -> Any:
        """Return a value of the document as it is entered."""
        if self.unit is Unit.CODES:
            return ", ".join(str(code) for code in value)
        if value is None or self.unit in {Unit.SWITCH, Unit.CHOICE}:
            return value
        factor = {Unit.SECONDS_OF_MS: 0.001, Unit.PER_CENT: 100.0}.get(self.unit, 1.0)
        number = round(value * factor, 6)
        return int(number) if number == int(number) else number

    def stored(self, value: Any) -> Any:
        """Return what was entered as the document has it."""
        if value is None or self.unit in {Unit.SWITCH, Unit.CHOICE, Unit.CODES, Unit.NUMBER}:
            return value
        if self.unit is Unit.SECONDS_OF_MS:
            return round(value * 1000)
        return round(value / 100, 6) if self.unit is Unit.PER_CENT else value

    def in_words(self, value: Any) -> str:
        """Return a value as a sentence has it: "3 s", "20 %", "on"."""
        if self.unit is Unit.SWITCH:
            return "on" if value else "off"
        if self.unit is Unit.CHOICE:
            return dict(self.choices).get(value, str(value))
        shown = self.shown(value)
        return "none" if shown is None else f"{shown} {self.unit.sign}".strip()

    @property
    def normal(self) -> str:
        """The default in words."""
        return self.in_words(at(DEFAULTS, self.path))


@dataclass(frozen=True)
class Group:
    """Dials that belong together."""

    title: str
    text: str
    dials: tuple[Dial, ...]


def _rate(path: str, label: str, notice: str) -> Dial:
    return Dial(path, label, notice, Unit.PER_CENT, 0, 100)


def _weight(status: str, notice: str) -> Dial:
    return Dial(f"carrier.final.{status}", f"Share that ends {status}", notice, Unit.WEIGHT, 0, 1_000_000)


def _codes(status: str, notice: str) -> Dial:
    return Dial(f"carrier.error_codes.{status}", f"Error codes of {status}", notice, Unit.CODES)


GROUPS: tuple[Group, ...] = (
    Group(
        "How fast Twilio answers",
        "Every request waits, the work is done meanwhile.",
        (
            Dial(
                "latency_ms",
                "Answer after",
                "Messages stay “sending” that long. Beyond the time Heliograph waits (10 s unless the operator changed "
                "it) they turn “unknown” and are looked up; none is sent twice.",
                Unit.SECONDS_OF_MS,
                0,
                60,
            ),
            Dial(
                "latency_jitter_ms",
                "Plus at random, up to",
                "Answers come in another order than the requests went out.",
                Unit.SECONDS_OF_MS,
                0,
                60,
            ),
            Dial(
                "list_lag_ms",
                "Messages are listed only after",
                "An “unknown” message takes longer to resolve, because Twilio's own list does not show it yet.",
                Unit.SECONDS_OF_MS,
                0,
                3600,
            ),
        ),
    ),
    Group(
        "Refused: nothing was done",
        "The request fails and the simulated Twilio has done nothing with it.",
        (
            _rate(
                "rate_429",
                "Too many requests (429)",
                "The message goes back to “queued” and is tried again a little later: slower, but nothing is lost.",
            ),
            Dial(
                "retry_after_s",
                "With Retry-After",
                "Heliograph waits as long as this header asks before the next try. Empty: no header.",
                Unit.SECONDS,
                0,
                3600,
                is_optional=True,
            ),
            Dial(
                "limit_per_second",
                "Messages a second at most",
                "What comes faster is refused with 429: a broadcast settles down to this speed. Empty: no limit.",
                Unit.PER_SECOND,
                0.1,
                100_000,
                is_optional=True,
            ),
            _rate(
                "rate_5xx",
                "Server error (500)",
                "Nobody can tell from a 500 whether the message was taken: it turns “unknown”, is looked up, and is "
                "sent again once it surely is not there.",
            ),
            _rate(
                "rate_reset_before",
                "Connection cut before anything was done",
                "Looks the same from outside: “unknown” first, then sent again.",
            ),
            Dial(
                "refuse_landlines",
                "Refuse landlines",
                "Numbers that can only be landlines fail with 21614.",
                Unit.SWITCH,
            ),
        ),
    ),
    Group(
        "Done, but the answer is lost",
        "The dangerous kind: the message is on its way, and Heliograph does not hear so. Whoever sends again here "
        "texts people twice.",
        (
            _rate(
                "rate_accept_hang",
                "Accepted, never answered",
                "“sending” until the wait is over, then “unknown” until a callback or Twilio's list settles it.",
            ),
            _rate(
                "rate_accept_reset",
                "Accepted, then the connection is cut",
                "“unknown” at once, then “accepted” or “delivered” when the callback arrives.",
            ),
            _rate(
                "rate_accept_5xx",
                "Accepted, then answered with 500",
                "“unknown” as well, although Twilio said “error”.",
            ),
            Dial(
                "faults_on",
                "Faults concern",
                "With every request, also the look-ups that resolve “unknown” fail now and then.",
                Unit.CHOICE,
                choices=(("sending", "messages and codes"), ("all", "every request")),
            ),
        ),
    ),
    Group(
        "Status callbacks",
        "How Twilio's reports about a message come back.",
        (
            Dial(
                "callbacks.delay_ms",
                "Late by",
                "The phone has the text, the message log learns of it later.",
                Unit.SECONDS_OF_MS,
                0,
                3600,
            ),
            Dial(
                "callbacks.jitter_ms",
                "Plus at random, up to",
                "Reports overtake each other; a message never goes back from “delivered” to “sent”.",
                Unit.SECONDS_OF_MS,
                0,
                3600,
            ),
            _rate(
                "callbacks.drop_rate",
                "Lost",
                "Heliograph has to ask Twilio by itself, which takes a minute or more.",
            ),
            _rate(
                "callbacks.double_rate", "Sent twice", "Nothing to see: the second report of the same changes nothing."
            ),
            Dial(
                "callbacks.reversed",
                "In reverse order",
                "All reports of a message come at its end, newest first: it jumps straight to its final status.",
                Unit.SWITCH,
            ),
        ),
    ),
    Group(
        "The carrier",
        "How quickly messages move, and how they end. Numbers with an outcome of their own are not affected.",
        (
            Dial(
                "carrier.queued_after_s",
                "Queued after",
                "Time until a sender of the Messaging Service is chosen.",
                Unit.SECONDS,
                0,
                86_400,
            ),
            Dial(
                "carrier.sent_after_s",
                "Sent after",
                "Time in “accepted”. Longer than the message is valid: it fails with 30036.",
                Unit.SECONDS,
                0,
                86_400,
            ),
            Dial(
                "carrier.final_after_s",
                "Final status after",
                "Time in “sent”, until the report.",
                Unit.SECONDS,
                0,
                86_400,
            ),
            Dial(
                "carrier.jitter",
                "Times vary by",
                "50 % means between half and one and a half times as long.",
                Unit.PER_CENT,
                0,
                100,
            ),
            _weight("delivered", "Shares are relative: 8 and 2 means eight of ten."),
            _weight("undelivered", "Amber in the message log, with one of the codes below."),
            _weight("failed", "Red in the message log, with one of the codes below."),
            _weight("sent", "No delivery report ever comes: the message stays “sent”."),
            _codes("undelivered", "One of them at random, such as 30003, 30005, 30006."),
            _codes("failed", "One of them at random, such as 30001."),
        ),
    ),
    Group(
        "Verification codes",
        "How the simulated Verify behaves.",
        (
            Dial("verify.ttl_s", "A code lives", "After that a check finds nothing.", Unit.SECONDS, 1, 86_400),
            Dial(
                "verify.exhausted",
                "The sixth wrong check",
                "Twilio has been seen to answer either way; both have to read well to the person.",
                Unit.CHOICE,
                choices=(("60202", "is refused with 60202"), ("20404", "finds no verification, 20404")),
            ),
            Dial(
                "verify.min_interval_ms",
                "Codes to one number at least apart by",
                "Sooner ones are refused with 60212.",
                Unit.SECONDS_OF_MS,
                0,
                3600,
            ),
        ),
    ),
    Group(
        "Dice",
        "All of the above rolls dice.",
        (
            Dial(
                "seed",
                "Seed",
                "A whole number: the same requests meet the same faults each time. Empty: by chance.",
                Unit.NUMBER,
                -(2**63),
                2**63 - 1,
                is_optional=True,
            ),
        ),
    ),
)
DIALS: tuple[Dial, ...] = tuple(dial for group in GROUPS for dial in group.dials)


@dataclass(frozen=True)
class Preset:
    """A setting of several dials at once; what `changes` does not name is normal."""

    key: str
    title: str
    text: str
    icon: str
    changes: Mapping[str, Any]


PRESETS: tuple[Preset, ...] = (
    Preset("works", "Everything works", "All dials normal; numbers with an outcome keep it.", "check_circle", {}),
    Preset(
        "slow",
        "Twilio is slow",
        "Answers take 3 to 5 seconds: messages stay “sending” for a while.",
        "hourglass_top",
        {"latency_ms": 3000, "latency_jitter_ms": 2000},
    ),
    Preset(
        "limited",
        "Rate limited",
        "Two messages a second, the rest is refused with 429 and comes again.",
        "speed",
        {"limit_per_second": 2, "retry_after_s": 1},
    ),
    Preset(
        "lost",
        "Answers get lost",
        "Four of ten messages are accepted without an answer: “unknown”, then resolved.",
        "link_off",
        {"rate_accept_reset": 0.3, "rate_accept_hang": 0.1},
    ),
    Preset(
        "silent",
        "Callbacks never come",
        "No report arrives. Heliograph asks by itself, a minute or more later.",
        "notifications_off",
        {"callbacks": {"drop_rate": 1.0}},
    ),
    Preset(
        "refused",
        "Carrier refuses",
        "Nothing is delivered: filtered, blocked or not reachable.",
        "block",
        {
            "carrier": {
                "final": {"delivered": 0, "undelivered": 7, "failed": 3, "sent": 0},
                "error_codes": {"undelivered": [30003, 30004, 30007], "failed": [30001, 30034]},
            }
        },
    ),
)


def at(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path."""
    value: Any = document
    for name in path.split("."):
        value = value[name]
    return value


def document_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a document of values by path."""
    document: dict[str, Any] = {}
    for path, value in values.items():
        *sections, name = path.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return document


def differences(document: Mapping[str, Any], *, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a whole document that is not as in `base`, as a document."""
    changed = {dial.path: at(document, dial.path) for dial in DIALS}
    changed = {path: value for path, value in changed.items() if value != at(base, path)}
    if document["outcomes"] != base["outcomes"]:
        changed["outcomes"] = document["outcomes"]
    return document_of(changed)


def preset_document(preset: Preset) -> dict[str, Any]:
    """Return the whole document that a preset stands for."""
    return merge(DEFAULTS, dict(preset.changes))


def deviations(document: Mapping[str, Any]) -> list[str]:
    """Return what is off normal, in words: "Too many requests (429): 20 %"."""
    found = [
        f"{dial.label}: {dial.in_words(value)}"
        for dial in DIALS
        if (value := at(document, dial.path)) != at(DEFAULTS, dial.path)
    ]
    count = len(document["outcomes"])
    return [*found, f"{count} number{'' if count == 1 else 's'} with an outcome"] if count else found
