"""What people paste into the connect form: cleaned, and judged by its looks."""

import re
import unicodedata

# Console, chat and spreadsheet leave these around a copied value.
_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›"

SID_KINDS: dict[str, str] = {
    "AC": "Account SID",
    "SK": "API Key SID",
    "MG": "Messaging Service SID",
    "VA": "Verify Service SID",
    "PN": "Phone Number SID",
    "SM": "Message SID",
    "SC": "Short Code SID",
    "HX": "Content template SID",
    "VE": "Verification SID",
    "US": "user SID",
    "OR": "Organization SID",
}
_SID_BODY = re.compile(r"[0-9a-fA-F]{32}")
_ALPHANUMERIC_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")


def clean_pasted(value: str) -> str:
    """Remove every kind of blank (NBSP, zero-width, line breaks, byte order marks) and quotes around the value."""
    return "".join(char for char in value if not _is_blank(char)).strip(_QUOTES)


def clean_sender(value: str) -> str:
    """Clean a From: a number loses its blanks and punctuation, a sender ID keeps the blank inside ("My Shop")."""
    tight = re.sub(r"[\s().\-/]", "", clean_pasted(value))
    if _PHONE.fullmatch(tight) or _SHORT_CODE.fullmatch(tight):
        return tight
    visible = "".join(" " if char.isspace() else char for char in value if char.isspace() or not _is_blank(char))
    return " ".join(visible.split()).strip(_QUOTES).strip()


def _is_blank(char: str) -> bool:
    # Cc: line breaks, tabs. Cf: zero-width and direction marks. Zs, Zl, Zp: every width of space.
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def sid_problem(value: str, prefix: str) -> str:
    """Return what is wrong with the looks of an SID in words, or the empty text."""
    name = SID_KINDS[prefix]
    seen = value[:2].upper()
    if seen != prefix:
        if seen in SID_KINDS and _SID_BODY.fullmatch(value[2:]):
            return f"That is {_an(SID_KINDS[seen])} ({seen}…). Here belongs the {name}, which begins with {prefix}."
        return f"{_an(name, 'A')} begins with {prefix}."
    if value[:2] != prefix:
        return f"{prefix} at the beginning is written in capitals."
    if len(value) != 34:
        less_or_more = "too short: part of it was not copied" if len(value) < 34 else "too long: something was added"
        return f"{_an(name, 'A')} has 34 characters, this one {len(value)}. It is {less_or_more}."
    if not _SID_BODY.fullmatch(value[2:]):
        return f"After {prefix} come 32 characters from 0-9 and a-f; there is another character in it."
    return ""


def secret_problem(value: str, name: str) -> str:
    """Return what is wrong with the looks of a secret in words, never quoting it, or the empty text."""
    if value[:2] in SID_KINDS and _SID_BODY.fullmatch(value[2:]):
        return f"That is {_an(SID_KINDS[value[:2]])}. Here belongs the {name}, which has no such prefix."
    if not value.isascii():
        return f"The {name} has letters and digits only; there is another character in it."
    if name == "Auth Token" and not _SID_BODY.fullmatch(value):
        return "An Auth Token has 32 characters from 0-9 and a-f. Copy it with the copy button of Twilio's Console."
    if len(value) < 16:
        return f"This is too short for {_an(name)}: part of it was not copied."
    return ""


def sender_problem(value: str) -> str:
    """Return what is wrong with a From in words, or the empty text: E.164, a short code or a sender ID."""
    if _PHONE.fullmatch(value) or _SHORT_CODE.fullmatch(value) or _ALPHANUMERIC_SENDER.fullmatch(value):
        return ""
    if value.startswith("MG"):
        return "That is a Messaging Service SID: it belongs in the field of that name."
    if value.startswith("+"):
        return "A number is + and 7 to 15 digits, country code first, for example +14155550123."
    if re.fullmatch(r"[0-9]+", value):
        return "Write the number as Twilio does: with + and the country code, for example +14155550123."
    if len(value) > 11:
        return f"A sender ID has at most 11 characters, this one {len(value)}."
    return "A sender ID has letters, digits, blanks and + - _ & only, at least one letter among them."


def sender_kind(value: str) -> str:
    """Return `number`, `short_code` or `alphanumeric` for a From without a problem."""
    if _PHONE.fullmatch(value):
        return "number"
    return "short_code" if _SHORT_CODE.fullmatch(value) else "alphanumeric"


def mask_sid(sid: str) -> str:
    """Return an SID short enough for a sentence: its prefix and last four characters."""
    return f"{sid[:2]}…{sid[-4:]}" if len(sid) > 8 else sid


def _an(name: str, article: str = "a") -> str:
    return f"{article}{'n' if name[0] in 'AEIO' else ''} {name}"
