"""The dials: how slow, faulty and unlucky the simulated Twilio is, as one validated JSON document.

Rates are shares of requests, 0 to 1. The fault rates together cannot exceed 1: a request meets one fault at most.
"""

from dataclasses import dataclass, field
from typing import Any

from .errors import REFUSALS, ControlError
from .outcomes import WELL_KNOWN, Outcome
from .recipients import read_recipient

DEFAULTS: dict[str, Any] = {
    "latency_ms": 0,
    "latency_jitter_ms": 0,
    "rate_429": 0.0,
    "retry_after_s": None,
    "rate_5xx": 0.0,
    "rate_reset_before": 0.0,
    "rate_accept_hang": 0.0,
    "rate_accept_reset": 0.0,
    "rate_accept_5xx": 0.0,
    "faults_on": "sending",
    "limit_per_second": None,
    "list_lag_ms": 0,
    "refuse_landlines": False,
    "seed": None,
    "callbacks": {"delay_ms": 0, "jitter_ms": 0, "drop_rate": 0.0, "double_rate": 0.0, "reversed": False},
    "carrier": {
        "queued_after_s": 0.2,
        "sent_after_s": 0.6,
        "final_after_s": 1.2,
        "jitter": 0.0,
        "final": {"delivered": 1.0, "undelivered": 0.0, "failed": 0.0, "sent": 0.0},
        "error_codes": {"undelivered": [30003, 30005, 30006], "failed": [30001]},
    },
    "verify": {"ttl_s": 600, "exhausted": "60202", "min_interval_ms": 0},
    "outcomes": {},
}

FAULTS = (
    "rate_reset_before",
    "rate_429",
    "rate_5xx",
    "rate_accept_hang",
    "rate_accept_reset",
    "rate_accept_5xx",
)

# Where a number stands, and its bounds. None is allowed where the default is None.
_BOUNDS: dict[str, tuple[float, float]] = {
    "latency_ms": (0, 60_000),
    "latency_jitter_ms": (0, 60_000),
    **dict.fromkeys(FAULTS, (0, 1)),
    "retry_after_s": (0, 3600),
    "limit_per_second": (0.1, 100_000),
    "list_lag_ms": (0, 3_600_000),
    "seed": (-(2**63), 2**63),
    "callbacks.delay_ms": (0, 3_600_000),
    "callbacks.jitter_ms": (0, 3_600_000),
    "callbacks.drop_rate": (0, 1),
    "callbacks.double_rate": (0, 1),
    "carrier.queued_after_s": (0, 86_400),
    "carrier.sent_after_s": (0, 86_400),
    "carrier.final_after_s": (0, 86_400),
    "carrier.jitter": (0, 1),
    "carrier.final.delivered": (0, 1_000_000),
    "carrier.final.undelivered": (0, 1_000_000),
    "carrier.final.failed": (0, 1_000_000),
    "carrier.final.sent": (0, 1_000_000),
    "verify.ttl_s": (1, 86_400),
    "verify.min_interval_ms": (0, 3_600_000),
}
_CHOICES: dict[str, tuple[str, ...]] = {"faults_on": ("sending", "all"), "verify.exhausted": ("60202", "20404")}
_FINAL = ("delivered", "undelivered", "failed", "sent")


@dataclass
class Dials:
    """The settings in force for one account, with what the hot path asks for worked out beforehand."""

    settings: dict[str, Any]
    fault_table: list[tuple[float, str]] = field(init=False)  # cumulated rate, name
    outcomes: dict[str, Outcome] = field(init=False)
    final_statuses: list[str] = field(init=False)
    final_weights: list[float] = field(init=False)

    def __post_init__(self) -> None:
        total = 0.0
        self.fault_table = []
        for name in FAULTS:
            if self.settings[name]:
                total += self.settings[name]
                self.fault_table.append((total, name))
        self.outcomes = WELL_KNOWN | {
            number: Outcome(o.get("status", ""), o.get("error_code"), o.get("silent", False))
            for number, o in self.settings["outcomes"].items()
        }
        weights = {status: weight for status, weight in self.settings["carrier"]["final"].items() if weight}
        self.final_statuses = list(weights)
        self.final_weights = list(weights.values())


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Lay changes over a settings document; sections are merged, `outcomes` is replaced whole."""
    merged = dict(base)
    for name, value in changes.items():
        nested = isinstance(value, dict) and isinstance(base.get(name), dict) and name != "outcomes"
        merged[name] = merge(base[name], value) if nested else value
    return merged


def validate(changes: object) -> dict[str, Any]:
    """Check a part of the document and return it; raises ControlError naming every field that cannot be used."""
    if not isinstance(changes, dict):
        raise ControlError({"": "Send a JSON object of dials."})
    errors: dict[str, str] = {}
    _check(changes, DEFAULTS, "", errors)
    if not errors:
        complete = merge(DEFAULTS, changes)
        if sum(complete[name] for name in FAULTS) > 1:
            errors["rate_429"] = "The fault rates (" + ", ".join(FAULTS) + ") add up to more than 1."
        if not sum(complete["carrier"]["final"].values()):
            errors["carrier.final"] = "At least one final status needs a weight above 0."
    if errors:
        raise ControlError(errors)
    return changes


def _check(given: dict[str, Any], known: dict[str, Any], prefix: str, errors: dict[str, str]) -> None:
    for name, value in given.items():
        path = prefix + str(name)
        if name not in known:
            errors[path] = "There is no such dial. Known here: " + ", ".join(sorted(known)) + "."
        elif path == "outcomes":
            _check_outcomes(value, errors)
        elif path == "carrier.error_codes":
            _check_error_codes(value, errors)
        elif isinstance(known[name], dict):
            if isinstance(value, dict):
                _check(value, known[name], path + ".", errors)
            else:
                errors[path] = "This dial is a JSON object."
        elif (problem := _problem_with(path, value, known[name])) is not None:
            errors[path] = problem


def _problem_with(path: str, value: object, default: object) -> str | None:
    if path in _CHOICES:
        return None if value in _CHOICES[path] else "Choose one of: " + ", ".join(_CHOICES[path]) + "."
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "This dial is true or false."
    if value is None:
        return None if default is None else "This dial needs a number."
    low, high = _BOUNDS[path]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return f"This dial is a number from {low:g} to {high:g}."
    return None


def _check_outcomes(value: object, errors: dict[str, str]) -> None:
    if not isinstance(value, dict):
        errors["outcomes"] = "This dial is a JSON object of phone number to outcome."
        return
    for number, outcome in value.items():
        path = f"outcomes.{number}"
        if read_recipient(number) is None:
            errors[path] = "Write the number in E.164, such as +12025550123."
        elif not isinstance(outcome, dict) or not set(outcome) <= {"status", "error_code", "silent"} or not outcome:
            errors[path] = "An outcome has status, error_code and silent, nothing else, and at least one of them."
        elif outcome.get("status", "delivered") not in _FINAL:
            errors[f"{path}.status"] = "Choose one of: " + ", ".join(_FINAL) + "."
        elif not isinstance(outcome.get("silent", False), bool):
            errors[f"{path}.silent"] = "Silent is true or false."
        elif (code := outcome.get("error_code")) is not None and (isinstance(code, bool) or not isinstance(code, int)):
            errors[f"{path}.error_code"] = "An error code is a whole number."
        elif "status" not in outcome and code is not None and code not in REFUSALS:
            errors[f"{path}.error_code"] = (
                f"{code} does not refuse a request. Give a status too, such as undelivered, for codes that come later."
            )


def _check_error_codes(value: object, errors: dict[str, str]) -> None:
    path = "carrier.error_codes"
    if not isinstance(value, dict) or not set(value) <= {"undelivered", "failed"}:
        errors[path] = "This dial is a JSON object with lists under undelivered and failed."
        return
    for status, codes in value.items():
        if (
            not isinstance(codes, list)
            or not codes
            or not all(isinstance(code, int) and not isinstance(code, bool) for code in codes)
        ):
            errors[f"{path}.{status}"] = "Give a list of at least one error code."
