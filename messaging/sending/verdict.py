"""What an answer of Twilio means for the message: the one place that decides between again, never and we do not know.

The error table decides, never the HTTP class: Twilio answers some refusals with 5xx and some passing troubles with 4xx.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from integrations.platform_sms.providers.webhook import CarrierRefused, CarrierUnreachable
from integrations.twilio.error_table import ERRORS, Retry, Scope, explain
from integrations.twilio.errors import TwilioError, TwilioMisconfigured, TwilioRefused, TwilioUnreachable

MAX_ATTEMPTS = 10
_LONGEST_PAUSE = 300.0
# 63050 is WhatsApp's alone and of marketing alone; 63053, beside it in Twilio's list, is about templates.
OPT_OUT_CODES = frozenset({21610, 30630, 63033, 63050})
# Wrong with the Messaging Service that a message names: of the connection only where that is the connection's own.
_SERVICE_CODES = frozenset({21701, 21702, 21704, 21705})


class Decision(StrEnum):
    """What to do with the message."""

    AGAIN = "again"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """A decision; `delay` in seconds goes with AGAIN, `breaks_connection` with refusals that concern all messages.

    `note` is for the timeline: with a message that is given up, what it was refused for the last time.
    """

    decision: Decision
    code: int | None = None
    reason: str = ""
    delay: float = 0.0
    breaks_connection: bool = False
    note: str = ""


def judge(error: TwilioError, *, attempts: int, is_usual_sender: bool = True) -> Verdict:
    """Decide by what surely happened: refused for now, refused for good, or not known.

    `attempts` counts this one; `is_usual_sender`: the message went out as all of its connection do. Twilio documents no
    idempotency key for messages, so that only a refusal that Twilio surely made, or a connection that never came about,
    allows another attempt without asking Twilio first.
    """
    code = error.code if error.code in ERRORS else None
    if isinstance(error, TwilioMisconfigured):
        return Verdict(Decision.FAIL, error.code, reason="misconfigured")
    if isinstance(error, CarrierRefused):
        return Verdict(Decision.FAIL, reason="carrier_refused")
    if isinstance(error, TwilioUnreachable):
        reason = "platform_unavailable" if isinstance(error, CarrierUnreachable) else "unreachable"
        return _again(None, attempts=attempts, retry_after=error.retry_after, reason=reason)
    if code is not None:
        entry = explain(code)
        if code in _SERVICE_CODES and not is_usual_sender:
            return Verdict(Decision.FAIL, code, "refused")
        if entry.scope is Scope.CONNECTION and entry.retry is not Retry.UNKNOWN:
            return Verdict(Decision.AGAIN, code, "connection_broken", delay=1.0, breaks_connection=True)
        if entry.retry is Retry.LATER or code == 20429:
            return _again(code, attempts=attempts, retry_after=error.retry_after, reason="refused_for_now")
        if entry.retry in {Retry.NEVER, Retry.AFTER_CHANGE}:
            return Verdict(Decision.FAIL, code, "refused")
        return Verdict(Decision.UNKNOWN, code, "outcome_unknown")
    if error.http_status == 429:
        return _again(error.code, attempts=attempts, retry_after=error.retry_after, reason="refused_for_now")
    if isinstance(error, TwilioRefused) and error.code is not None:
        return Verdict(Decision.FAIL, error.code, "refused")
    return Verdict(Decision.UNKNOWN, error.code, "outcome_unknown")


def _again(code: int | None, *, attempts: int, retry_after: float | None, reason: str) -> Verdict:
    if attempts >= MAX_ATTEMPTS:
        return Verdict(Decision.FAIL, code, "gave_up", note=reason)
    pause = min(_LONGEST_PAUSE, 0.5 * 2**attempts)
    jittered = random.uniform(pause / 2, pause)  # noqa: S311 - spreads load, protects nothing
    return Verdict(Decision.AGAIN, code, reason, delay=max(jittered, min(retry_after or 0.0, _LONGEST_PAUSE)))
