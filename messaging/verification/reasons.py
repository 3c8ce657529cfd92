"""What became of a verification, in words for the admin: what happened and the next step."""

from dataclasses import dataclass

from integrations.twilio.error_table import explain
from messaging.sending.reasons import own_reason


@dataclass(frozen=True)
class Words:
    """A title, what happened, and what to do next; `code` is Twilio's number or a word of ours."""

    code: str
    title: str
    meaning: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Everything in one line, as the API has it."""
        number = f" ({self.code})" if self.code.isdecimal() else ""
        return " ".join(part for part in (f"{self.title.rstrip('.')}{number}.", self.meaning, self.remedy) if part)


_OURS: dict[str, tuple[str, str, str]] = {
    "bad_code": (
        "No code could be read.",
        "What was entered holds no single run of 4 to 10 digits. It was not compared and counts as no attempt.",
        "Enter the digits from the message.",
    ),
    "expired": (
        "Not entered in time.",
        "A code works for ten minutes; no right one was entered until then.",
        "Start a new verification. If it happens often, see the conversion page: codes to one country may not arrive.",
    ),
    "not_delivered": (
        "The code did not arrive.",
        "The message with the code ended without reaching the phone.",
        "Look at the message below for the cause. Until the time is over another code can be asked for.",
    ),
    "used": (
        "The code was used before.",
        "It was entered for another attempt with the same number, which was approved. A code proves a number once.",
        "Start a new verification.",
    ),
    "canceled": ("Canceled.", "The verification was canceled before the code was entered.", "Start a new one."),
    "max_attempts": (
        "Too many wrong codes.",
        "Five codes were tried, which is all a verification permits.",
        "Start a new verification in ten minutes. If it happens often from one network, somebody is guessing.",
    ),
    "approved": ("Approved.", "The right code was entered.", ""),
    "pending": ("Waiting for the code.", "A code was sent and none was entered yet.", ""),
    "gone": (
        "Twilio no longer has the verification.",
        "It ended at Twilio without our doing, for example in Twilio's Console.",
        "Start a new verification.",
    ),
    "verify_service_gone": (
        "The Verify Service does not exist any more.",
        "The connection names a Verify Service that Twilio does not find: it was deleted, or is another account's. "
        "No other way was taken.",
        "Open the connection under System services and enter the SID of a service that exists; without one, codes go "
        "out as SMS from your own sender.",
    ),
    "outcome_unknown": (
        "Whether the code was sent is not known.",
        "Twilio's answer was not heard. Nothing was sent a second time; a code that arrived works.",
        "Nothing to do: the person enters the code, or asks for another one.",
    ),
    "check_unknown": (
        "Whether the code is right is not known.",
        "Twilio's answer was not heard, and asking again brought none.",
        "Check the same code again in a moment.",
    ),
    "unreachable": (
        "Twilio could not be reached.",
        "No connection came about, so nothing was sent.",
        "Try again. If it lasts, check the server's way to the internet and status.twilio.com.",
    ),
    "busy": (
        "Another check is on its way.",
        "One code of a verification is looked at at a time.",
        "Wait for its answer, then try again.",
    ),
    "resend_too_early": (
        "Asked again too early.",
        "A code was sent moments ago. The pause before the next one grows each time.",
        "Wait until the time that resend_after names.",
    ),
    "too_many_sends": (
        "Five codes were sent.",
        "A verification sends five codes at most.",
        "The one that came last still works. Otherwise start a new verification in ten minutes.",
    ),
    "channel_closed": (
        "This channel is not offered.",
        "The Verify Service does not send codes this way, or there is none and codes go out by SMS alone.",
        "Choose another channel. Once it is switched on in Twilio's Console under Verify → Services, offer it again on "
        "the Verifications page.",
    ),
    "unknown_channel": ("There is no such channel.", "", "Use sms, call, whatsapp or email."),
    "not_connected": (
        "Twilio is not connected.",
        "Nothing was sent.",
        "Connect Twilio under Integration, System services.",
    ),
    "suspended": ("The organization is suspended.", "Nothing is sent.", "Ask the operator."),
    "bad_email": ("This is not an e-mail address.", "", "Check it."),
    "failed": ("It failed.", "No code was sent.", "Try again."),
    "refused": (
        "Twilio refused it.",
        "Twilio gave a reason without a code. Nothing was sent.",
        "Look at the request in Twilio's Console under Monitor → Logs → Errors.",
    ),
}


def admin_words(*, code: int | None = None, reason: str = "") -> Words:
    """Return the words for a reason of ours, else for one of Twilio's codes; ours know more of what was done."""
    if reason == "not_delivered" and code is not None:
        title, meaning, _ = _OURS[reason]
        entry = explain(code)
        return Words(str(code), title, f"{meaning} {entry.title.rstrip('.')}. {entry.meaning}", entry.remedy)
    if reason in _OURS and not (reason == "refused" and code is not None):
        return Words(str(code or reason), *_OURS[reason])
    if code is not None:
        entry = explain(code)
        return Words(str(code), entry.title, entry.meaning, entry.remedy)
    if not reason:
        return Words("", "Nothing is wrong.", "", "")
    ours = own_reason(reason)
    return Words(reason, ours.title, ours.meaning, ours.remedy)
