"""Is this text in Twilio's log the one we handed over? Twilio may have changed it on the way."""

import unicodedata

from messaging.templates.smart_encoding import smart_encode

_TRIAL_PREFIX = "Sent from your Twilio trial account - "


def resembles(ours: str, theirs: str) -> bool:
    """Tell whether `theirs` is `ours`, perhaps with the trial prefix, smart encoding or other blanks."""
    return _bare(ours) == _bare(theirs.removeprefix(_TRIAL_PREFIX))


def _bare(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", smart_encode(text)).split())
