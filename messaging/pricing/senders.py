"""Which of Twilio's types of sender a message goes out from, as far as it can be known: prices differ by it."""

import re

from integrations.phones import NumberKind, PhoneProblem, parse_phone

# Twilio writes them in several ways (toll free, toll-free, shortcode, short code): only the letters count.
LOCAL, MOBILE, TOLL_FREE, SHORT_CODE, ALPHANUMERIC = "local", "mobile", "tollfree", "shortcode", "alphanumeric"
_OTHER_NAMES = {"alpha": ALPHANUMERIC, "alphasender": ALPHANUMERIC, "alphanumericsenderid": ALPHANUMERIC}
_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")


def plain_type(number_type: str) -> str:
    """Return one name for Twilio's writings of a type."""
    letters = re.sub(r"[^a-z]", "", number_type.lower())
    return _OTHER_NAMES.get(letters, letters)


def sender_type(sender: str) -> str:
    """Return the type of a sender; "" for a Messaging Service, which chooses only when it sends."""
    if not sender or _MESSAGING_SERVICE.fullmatch(sender):
        return ""
    if sender.isdecimal() and len(sender) <= 8:
        return SHORT_CODE
    if not sender.startswith("+"):
        return ALPHANUMERIC
    try:
        kind = parse_phone(sender, region=None, allow_magic=True).kind
    except PhoneProblem:
        return ""
    if kind == NumberKind.TOLL_FREE:
        return TOLL_FREE
    return MOBILE if kind == NumberKind.MOBILE else LOCAL
