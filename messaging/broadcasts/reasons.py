"""Why rows are left out, in words with what to do: those that no message has, since none was made."""

from dataclasses import dataclass

from messaging.sending.reasons import own_reason


@dataclass(frozen=True)
class LeftOut:
    """A reason to leave a row out: a few words for a list, and a sentence."""

    title: str
    meaning: str


_REASONS: dict[str, LeftOut] = {
    "duplicate": LeftOut("Repeats another row", "A number gets a broadcast once; the first row with it counts."),
    "opted_out": LeftOut("Opted out", "They replied STOP, or a member recorded it. Nothing is sent to them."),
    "no_consent": LeftOut("No consent to marketing", "Marketing goes only to people whose consent is on record."),
    "blocked_country": LeftOut("Blocked country", "Your organization's settings allow no messages to this country."),
    "no_route": LeftOut(
        "No way to this country",
        "Mainland China is reached by platform SMS, which this installation does not offer yet. Ask your operator.",
    ),
    "erased": LeftOut("Erased", "The contact was erased after the check; nothing is sent to them."),
    "landline": LeftOut(
        "Landline", "SMS hardly ever arrives there, and may still be charged. You can include them under Change."
    ),
}


def left_out(reason: str) -> LeftOut:
    """Return the words for a reason; an unknown one explains itself."""
    if reason in _REASONS:
        return _REASONS[reason]
    words = own_reason(reason)
    return LeftOut(words.title, words.meaning)
