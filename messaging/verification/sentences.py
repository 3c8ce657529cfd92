"""What somebody who proves a number reads: one calm sentence for whatever happened, with the next step.

In the active language. The admin reads other words of the same thing: `reasons.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

# Nothing a visitor could change: whatever is wrong is on the organization's or on Twilio's side.
NOT_NOW = _("Codes cannot be sent at the moment. Please try again later.")
CHECK_NUMBER = _("No code can be sent to this number. Check it, or use another number.")
OTHER_NUMBER = _("No code can be sent to this number. Please use another number.")
OTHER_CHANNEL = _("The code cannot be sent this way. Please choose another way.")
NOT_THIS_COUNTRY = _("Codes cannot be sent to numbers of this country. Please use another number.")
WAIT_SECONDS = _("Another code is being sent to this number. Wait a few seconds, then try again.")
MANY_ASK = _("More people than usual ask for codes just now. Please try again later.")
START_ANEW = _("This attempt is over. Please ask for a new code.")

# By our own words, the codes of VerificationRefused among them.
OWN: Mapping[str, str] = MappingProxyType(
    {
        # the number and the code, as they were typed
        "empty": _("Enter your phone number."),
        "not_a_number": _("This is not a phone number. Enter the digits of your number."),
        "too_short": _("The number is too short. Check that no digit is missing."),
        "too_long": _("The number is too long. Check for extra digits."),
        "unknown_country": _("No country has this code. Check the digits after the +."),
        "not_valid": _("There is no such number. Check the digits."),
        "no_country": _("Begin with + and your country's code."),
        "bad_email": _("This is not an e-mail address. Check it."),
        "bad_code": _("A code has 4 to 10 digits. Enter the digits from the message."),
        "wrong_code": _("This code is not right. Check the digits and try again."),
        # the end
        "expired": _("The code has expired. Please ask for a new one."),
        "used": _("This code was used already. Please ask for a new one."),
        "canceled": _("This attempt was canceled. Please ask for a new code."),
        "max_attempts": _("Too many wrong codes were entered. Wait ten minutes, then ask for a new code."),
        "failed": NOT_NOW,
        "gone": START_ANEW,
        "approved": _("Your number is confirmed."),
        # sending
        "resend_too_early": _("A code is on its way. Wait a moment before you ask for another one."),
        "too_many_sends": _("Several codes were sent to this number. Enter the one that came last, or try again in ten "
                            "minutes."),
        "outcome_unknown": _("We could not find out whether the code was sent. If it arrives, enter it here; if not, "
                             "ask for another one in a moment."),
        "check_unknown": _("We could not find out whether the code is right. Please enter it again in a moment."),
        "unreachable": _("No connection came about. Please try again in a moment."),
        "busy": _("Your code is being checked. Please wait a moment."),
        "not_delivered": _("The code could not be delivered to this number. Check the number, or use another one."),
        "channel_closed": OTHER_CHANNEL,
        "unknown_channel": OTHER_CHANNEL,
        # what only an admin can change
        "not_connected": NOT_NOW,
        "connection_broken": NOT_NOW,
        "no_route": NOT_THIS_COUNTRY,
        "no_sender": NOT_NOW,
        "insufficient_credits": NOT_NOW,
        "suspended": NOT_NOW,
        "verify_service_gone": NOT_NOW,
        "blocked_region": NOT_THIS_COUNTRY,
    }
)  # fmt: skip

# By Twilio's codes; each that Verify documents has its own line, though several say the same.
TWILIO: Mapping[int, str] = MappingProxyType(
    {
        10001: NOT_NOW,
        20003: NOT_NOW,
        20404: NOT_NOW,
        20429: _("Many people ask for codes just now. Wait a minute, then try again."),
        21211: CHECK_NUMBER,
        21408: NOT_THIS_COUNTRY,
        21610: _("This number has opted out of our messages. Text START to us, or use another number."),
        21614: _("This number cannot receive SMS. Please use a mobile number."),
        60200: CHECK_NUMBER,
        60201: NOT_NOW,
        60202: _("Too many wrong codes were entered. Wait ten minutes, then ask for a new code."),
        60203: _("Several codes were sent to this number. Enter the one that came last, or try again in ten minutes."),
        60204: NOT_NOW,
        60205: _("This looks like a landline, which gets no SMS. Ask for a call instead, or use a mobile number."),
        60207: NOT_NOW,
        60212: WAIT_SECONDS,
        60217: OTHER_CHANNEL,
        60220: NOT_THIS_COUNTRY,
        60221: START_ANEW,
        60222: OTHER_CHANNEL,
        60223: OTHER_CHANNEL,
        60226: NOT_THIS_COUNTRY,
        60228: NOT_NOW,
        60238: NOT_THIS_COUNTRY,
        60242: OTHER_CHANNEL,
        60245: MANY_ASK,
        60410: _("To guard against abuse, no codes go to numbers like this one for now. Use another number, or try "
                 "again tomorrow."),
        60412: OTHER_NUMBER,
        60413: _("The request could not be trusted. Load the page anew and try again."),
        60605: NOT_THIS_COUNTRY,
    }
)  # fmt: skip


def visitor_sentence(*, code: int | None = None, reason: str = "") -> str:
    """Return the visitor's sentence for one of Twilio's codes, else for a word of ours, in the active language."""
    if code is not None and code in TWILIO:
        return gettext(TWILIO[code])
    return gettext(OWN.get(reason, NOT_NOW))


def wrong_code_sentence(attempts_left: int) -> str:
    """Return what follows a wrong code while others may be tried."""
    return ngettext(
        "This code is not right. You can try once more.",
        "This code is not right. Check the digits; you can try %(count)d more times.",
        attempts_left,
    ) % {"count": attempts_left}
