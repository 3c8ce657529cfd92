"""What is wrong with a number, in the visitor's language: `integrations.phones` speaks English to members."""

from django.utils.translation import gettext as _


def phone_sentence(code: str) -> str:
    """Return the sentence for a PhoneProblem's code, with the next step in it."""
    sentences = {
        "empty": _("Enter your phone number."),
        "too_short": _("This number is too short. Check that no digit is missing."),
        "too_long": _("This number is too long. Enter one number only."),
        "unknown_country": _("No country has this code. Check the digits after the +."),
        "not_valid": _("There is no such number. Check the digits, and begin with + and your country code."),
        "no_country": _("Begin with + and your country code, for example +49."),
    }
    return sentences.get(code) or _("This is not a phone number. Enter its digits, with + and your country code first.")
