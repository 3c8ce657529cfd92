"""A message's way from accepted to delivered: which statuses, when, and which of them call back.

The order is the one of https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

import time
from collections.abc import Callable

from .callbacks import Courier
from .model import FINAL_STATUSES, Message
from .outcomes import Outcome
from .prices import price_of
from .timers import Timers

_CALLING_BACK = frozenset({"queued", "sent", "failed", "delivered", "undelivered", "canceled", "read"})


def plan(message: Message, *, outcome: Outcome | None, validity: int, queued_in: float | None = None) -> None:
    """Decide the statuses to come; `queued_in` is set for messages that wait for a sender or for their time."""
    account = message.account
    dials = account.dials
    carrier = dials.settings["carrier"]
    if outcome is not None and outcome.status:
        final, code, message.is_silent = outcome.status, outcome.error_code, outcome.is_silent
    elif len(dials.final_statuses) == 1:
        final, code = dials.final_statuses[0], None
    else:
        final, code = account.rng.choices(dials.final_statuses, dials.final_weights)[0], None
    if code is None and final in carrier["error_codes"]:
        code = account.rng.choice(carrier["error_codes"][final])
    sent_after, final_after = carrier["sent_after_s"], carrier["final_after_s"]
    if carrier["jitter"]:
        sent_after *= 1 + carrier["jitter"] * (2 * account.rng.random() - 1)
        final_after *= 1 + carrier["jitter"] * (2 * account.rng.random() - 1)
    steps = [] if queued_in is None else [(queued_in, "queued")]
    if sent_after > validity:
        final, code, sent_after = "failed", 30036, float(validity)
    steps.append((sent_after / 2, "sending"))
    if final == "failed":
        steps.append((sent_after / 2, "failed"))
    else:
        steps.append((sent_after / 2, "sent"))
        if final != "sent":
            steps.append((final_after, final))
    message.steps = tuple(steps)
    message.final_error = code


class Progress:
    """Moves messages forward on the sandbox's clock."""

    def __init__(self, timers: Timers, courier: Courier) -> None:
        self._timers = timers
        self._courier = courier

    def begin(self, message: Message) -> None:
        """Set the message on its way."""
        if message.steps:
            self._timers.after(message.steps[0][0], self._take, message)

    def _take(self, message: Message) -> None:
        if message.step >= len(message.steps):
            return  # canceled, deleted or reset in the meantime
        status = message.steps[message.step][1]
        message.step += 1
        self.enter(message, status)
        if message.step < len(message.steps):
            self._timers.after(message.steps[message.step][0], self._take, message)

    def enter(self, message: Message, status: str) -> None:
        """Put a message into a status, with what belongs to it: times, price, error, callback."""
        now = self._timers.now()
        message.status, message.updated = status, now
        if status == "queued":
            message.from_ = message.sender
        elif status == "sent":
            message.sent = now
            message.price = price_of(message.calling_code, segments=message.segments)
        elif status in {"failed", "undelivered"}:
            message.error_code = message.final_error
        message.account.counts[f"status_{status}"] += 1
        if message.callback is not None and not message.is_silent and status in _CALLING_BACK:
            self._call_back(message)

    def _call_back(self, message: Message) -> None:
        """Send the status callback for the present status, as the callback dials will have it."""
        account = message.account
        dials = account.dials.settings["callbacks"]
        params = status_params(message)
        if dials["reversed"]:
            self._hold(message, params)
            return
        if dials["drop_rate"] and account.rng.random() < dials["drop_rate"]:
            account.counts["callbacks_dropped"] += 1
            return
        copies = 1
        if dials["double_rate"] and account.rng.random() < dials["double_rate"]:
            account.counts["callbacks_doubled"] += 1
            copies = 2
        delay = dials["delay_ms"] / 1000
        if dials["jitter_ms"]:
            delay += account.rng.random() * dials["jitter_ms"] / 1000
        for _ in range(copies):
            if delay:
                self._timers.after(delay, self._teller(message), params)
            else:
                self._courier.tell(message, params)

    def _teller(self, message: Message) -> Callable[[dict[str, str]], None]:
        return lambda params: self._courier.tell(message, params)

    def _hold(self, message: Message, params: dict[str, str]) -> None:
        """Keep callbacks back until the last one, then send them newest first."""
        if message.held is None:
            message.held = []
        message.held.append(params)
        if message.status in FINAL_STATUSES or message.step >= len(message.steps):
            held, message.held = message.held, None
            for late_params in reversed(held):
                self._courier.tell(message, late_params)


def status_params(message: Message) -> dict[str, str]:
    """Build the form of a status callback."""
    params = {
        "AccountSid": message.account.sid,
        "ApiVersion": "2010-04-01",
        "From": message.from_ or "",
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    if message.error_code is not None:
        params["ErrorCode"] = str(message.error_code)
    if message.status in {"delivered", "undelivered"}:
        params["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime(message.updated))
    return params
