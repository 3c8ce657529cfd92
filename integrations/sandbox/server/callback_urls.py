"""Webhook addresses: what is acceptable, and Twilio's connection overrides in the fragment (`#rc=3&rp=ct,rt`).

The rules are Twilio's: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

import re
from functools import lru_cache
from urllib.parse import parse_qsl

from .model import CallbackTarget

_POLICIES = frozenset({"4xx", "5xx", "ct", "rt", "all"})
# No underscore in the host, as at Twilio. Localhost is accepted, unlike at Twilio: the sandbox exists for installations
# that nobody reaches from outside, and its webhooks go to the machine it runs on.
_URL = re.compile(r"(https?://(?:[^\s/?#@]+@)?(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?)(?:[/?][^\s#]*)?")


def read_callback_url(url: str) -> CallbackTarget | None:
    """Cut a webhook address into its parts; None where Twilio (or we) would refuse it."""
    address, _, fragment = url.strip().partition("#")
    match = _URL.fullmatch(address)
    if match is None:
        return None
    target = CallbackTarget(url=address, origin=match[1])
    if fragment:
        target.retry_count, target.retry_policy, timeouts = _read_overrides(fragment)
        target.connect_timeout, target.read_timeout, target.total_timeout = timeouts
    return target


@lru_cache(maxsize=256)
def _read_overrides(fragment: str) -> tuple[int, frozenset[str], tuple[float, float, float]]:
    given = dict(parse_qsl(fragment))
    policy = frozenset(given.get("rp", "ct").split(",")) & _POLICIES
    return (
        int(_number(given.get("rc"), default=1, low=0, high=5)),
        policy or frozenset({"ct"}),
        (
            _number(given.get("ct"), default=5000, low=100, high=10_000) / 1000,
            _number(given.get("rt"), default=15_000, low=100, high=15_000) / 1000,
            _number(given.get("tt"), default=15_000, low=100, high=15_000) / 1000,
        ),
    )


def _number(text: str | None, *, default: float, low: float, high: float) -> float:
    if text is None or not text.isdecimal():
        return default
    return min(max(float(text), low), high)
