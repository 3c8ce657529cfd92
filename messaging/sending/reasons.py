"""Why a message failed or waits, in words with the next step: Twilio's codes and our own reasons, one shape."""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from integrations.twilio.error_table import Scope, explain

from .models import Message
from .statuses import Status


@dataclass(frozen=True)
class Reason:
    """What happened, in a title and a sentence, and what to do next; `code` is Twilio's number or our word."""

    code: str
    title: str
    meaning: str
    remedy: str


_OURS: dict[str, tuple[str, str, str]] = {
    "opted_out": (
        "The recipient opted out.",
        "They replied STOP, or a member recorded it. Nothing was sent and nothing was charged.",
        "Only the recipient can undo it, by texting START to your number. The contact's page shows since when.",
    ),
    "no_consent": (
        "No consent to marketing.",
        "Nothing shows that this person agreed to marketing, so nothing was sent and nothing was charged.",
        "Record the consent on the contact's page, import it or ask for it with a form; then send the message again. "
        "What the person expects at this moment, such as an order's news, is transactional.",
    ),
    "insufficient_credits": (
        "Too few credits.",
        "Platform SMS is paid with credits, and not enough were left. Nothing was sent and nothing was charged.",
        "Ask your operator to top the credits up, then send the message again.",
    ),
    "no_route": (
        "There is no way to this number.",
        "Numbers in Mainland China are reached by platform SMS, which this installation does not offer. Nothing was "
        "sent and nothing was charged.",
        "Ask your operator to offer platform SMS, then send the message again.",
    ),
    "not_connected": (
        "No Twilio account is connected.",
        "Outside Mainland China messages go over your own Twilio account. Nothing was sent and nothing was charged.",
        "Connect Twilio under Integration, System services; then send the message again.",
    ),
    "platform_unavailable": (
        "Platform SMS does not work.",
        "The operator's SMS service did not take the message. Its credits come back if it is not sent.",
        "Nothing to do: it is tried again until its validity ends. If it failed, ask your operator, and send it anew.",
    ),
    "carrier_refused": (
        "Platform SMS refused the message.",
        "The operator's SMS service said no for good: often the number does not take SMS. The credits came back.",
        "Check the number. If other messages arrive, ask your operator why this one does not.",
    ),
    "expired": (
        "Not sent in time.",
        "The message waited longer than it was valid for, so it was not sent. Nothing was charged.",
        "See on the dashboard what held the queue up, then send the message again if it still matters.",
    ),
    "gave_up": (
        "Given up after many attempts.",
        "Twilio refused the message for the moment each time, or could not be reached. It was never handed over.",
        "Check the connection under System services, then send the message again.",
    ),
    "outcome_unknown": (
        "We do not know yet whether Twilio has it.",
        "The message was handed over, but Twilio's answer was not heard. We ask Twilio before anything is sent again.",
        "Nothing to do: it settles by itself within minutes. Do not send it a second time by hand.",
    ),
    "no_cause": (
        "No cause was given.",
        "Twilio reported the failure without a code.",
        "Look the message up in Twilio's Console under Monitor → Logs → Messaging.",
    ),
    "flagged": (
        "A person must look.",
        "Twilio's log shows texts to this number that cannot be told apart, so we neither send again nor guess.",
        "Open Twilio's message log for this number and time, then mark the message as sent or as not sent.",
    ),
    "flagged_platform": (
        "Your operator must look.",
        "It is not clear whether platform SMS has the message, so we neither send again nor guess. Its credits are set "
        "aside until then.",
        "Nothing to do: the operator of this installation was told, and settles it.",
    ),
    "unreachable": (
        "Twilio could not be reached.",
        "No connection came about, so nothing was handed over. We try again by ourselves.",
        "If it lasts, check the server's way to the internet and status.twilio.com.",
    ),
    "refused_for_now": (
        "Twilio asked to slow down.",
        "Twilio refused the message for the moment; it is in the queue again.",
        "Nothing to do. If it happens all the time, add senders to the Messaging Service.",
    ),
    "connection_broken": (
        "The Twilio connection is broken.",
        "Twilio refuses everything on this connection. The message waits until it works again or its validity ends.",
        "Open System services, read what the check says, and mend the connection.",
    ),
    "not_begun": (
        "Not begun in time.",
        "A worker took the message and did not come to hand it over within a second, so that it would have left "
        "without another look at the opt-outs. It is in the queue again; no attempt was used up.",
        "Nothing to do. If it happens all the time, the machine of the workers is overloaded.",
    ),
    "quiet_hours": (
        "Waits until the night is over where they are.",
        "Your organization sends no marketing at this hour of the recipient's day. The message waits, and its "
        "validity is moved by as much.",
        "Nothing to do. The hours are set under Settings, Sending limits.",
    ),
    "always_quiet": (
        "No hour is late enough.",
        "The number may be in several time zones, and at any hour it is quiet in one of them. Nothing was sent.",
        "Set the contact's time zone, or shorten the quiet hours under Settings, Sending limits.",
    ),
    "daily_cap": (
        "Over today's limit.",
        "Your organization has handed over as many messages as it allows itself on one day. This one waits for "
        "the next day; a verification code does not, since it would come too late.",
        "An admin can raise the limit under Settings, Sending limits: what waits then goes out.",
    ),
    "suspended": (
        "The organization is suspended.",
        "The operator of this installation suspended the organization; nothing is sent.",
        "Ask the operator.",
    ),
    "canceled": (
        "Canceled.",
        "The message was canceled before it was handed over. Nothing was charged.",
        "Nothing to do.",
    ),
    "erased": (
        "Canceled: erased.",
        "The contact was erased before the message was handed over, or before its outcome was known.",
        "Nothing to do.",
    ),
    "misconfigured": (
        "No sender.",
        "The message has no sender that Twilio could use, so it was not handed over.",
        "Add a Messaging Service or a From number to the connection, then send the message again.",
    ),
    "refused": (
        "Twilio refused the message.",
        "Twilio gave a reason that we do not know yet. Nothing was handed over.",
        "Look the code up at twilio.com/docs/api/errors.",
    ),
}


# Where platform SMS is concerned, trouble with anything else is the operator's.
_THEIR_OWN = frozenset({Scope.RECIPIENT, Scope.CONTENT, Scope.RATE, Scope.SERVICE})


def own_reason(word: str) -> Reason:
    """Return the explanation of one of our own reasons; an unknown word explains itself."""
    title, meaning, remedy = _OURS.get(word, (word.replace("_", " ").capitalize() + ".", "", ""))
    return Reason(code=word, title=title, meaning=meaning, remedy=remedy)


def reason_of(message: Message) -> Reason | None:
    """Explain the trouble of a message, or None where it has none."""
    if message.needs_person:
        return own_reason("flagged_platform" if message.is_platform else "flagged")
    if message.status in {Status.ACCEPTED, Status.SENT, Status.DELIVERED, Status.READ, Status.RECEIVED}:
        return None
    reason = reason_for(code=message.error_code, reason=message.error_reason)
    if message.is_platform and message.error_code is not None and explain(message.error_code).scope not in _THEIR_OWN:
        reason = own_reason("platform_unavailable")
    if reason is not None and reason.code == "quiet_hours" and message.status == Status.QUEUED:
        return replace(reason, title=_until_when(message))
    return reason


def _until_when(message: Message) -> str:
    """Say until when a message waits, by the clock where its recipient is (in the first of the zones it may be)."""
    zone = (message.time_zones.split() or [message.organization.time_zone])[0]
    return f"Waits until {message.due_at.astimezone(ZoneInfo(zone)):%H:%M} where they are."


def reason_for(*, code: int | None, reason: str) -> Reason | None:
    """Explain a code of Twilio's, else a reason of ours; None where there is neither."""
    if code is not None:
        entry = explain(code)
        return Reason(code=str(code), title=entry.title, meaning=entry.meaning, remedy=entry.remedy)
    return own_reason(reason) if reason else None
