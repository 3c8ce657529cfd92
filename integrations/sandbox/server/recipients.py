"""What the sandbox knows of a phone number from its digits."""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

_PUNCTUATION = str.maketrans("", "", " -.()")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_LANDLINE_TYPES = {phonenumbers.PhoneNumberType.FIXED_LINE}


@dataclass(frozen=True)
class Recipient:
    """A number that could exist: E.164, and the calling code of its country."""

    e164: str
    calling_code: int


@lru_cache(maxsize=20_000)
def read_recipient(text: str) -> Recipient | None:
    """Read a number in international writing, or return None.

    *Possible* is enough, *valid* is not asked for: the fictitious ranges that tests and people use here are not valid.
    """
    e164 = text.translate(_PUNCTUATION)
    if not _E164.fullmatch(e164):
        return None
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or number.country_code is None:
        return None
    return Recipient(e164=e164, calling_code=number.country_code)


@lru_cache(maxsize=20_000)
def region_of(e164: str) -> str:
    """Return the ISO code of the number's country: exact where the plan tells, else the main one of the code."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(number)
    return region or phonenumbers.region_code_for_country_code(number.country_code or 0)


def lies_in(recipient: Recipient, regions: set[str]) -> bool:
    """Tell whether the number's country is among these; the exact (slower) look is taken only where it can matter."""
    candidates = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(recipient.calling_code, ())
    return not regions.isdisjoint(candidates) and region_of(recipient.e164) in regions


def is_landline(e164: str) -> bool:
    """Tell whether the numbering plan says that this can only be a landline."""
    return phonenumbers.number_type(phonenumbers.parse(e164)) in _LANDLINE_TYPES


def is_toll_free(e164: str) -> bool:
    """Tell whether this is a toll-free number of North America, where carriers handle STOP themselves."""
    return e164[:5] in {"+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888"}
