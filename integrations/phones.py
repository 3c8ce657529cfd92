"""Phone numbers: read in any writing, kept as E.164, shown as people write them; and the senders of messages."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from .region_names import REGION_NAMES

EXAMPLE = "+49 30 123456"
# Twilio's test credentials answer to these: https://www.twilio.com/docs/iam/test-credentials
MAGIC_NUMBERS = frozenset(f"+1500555000{digit}" for digit in range(10))

_LONGEST_INPUT = 80
_NON_GEOGRAPHIC = "001"
_SEPARATORS = re.compile(r"[\s()\[\]./~·‐‒–—―−-]")
_CHANNEL_PREFIX = re.compile(r"(whatsapp|messenger|rcs|sms|client|sip):", re.IGNORECASE)
_SPREADSHEET = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9 &+_-]+")


class PhoneProblem(Exception):
    """What was written is not a number to send to or from; `message` is a sentence that never repeats the input.

    `code` is one of empty, not_a_number, too_short, too_long, unknown_country, not_valid, no_country, and for senders
    also not_a_sender.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class NumberKind(StrEnum):
    """What a number is used for, as far as its digits tell; in many countries (+1) landline and mobile look alike."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL = "personal"
    PAGER = "pager"
    UAN = "uan"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
    PhoneNumberType.PAGER: NumberKind.PAGER,
    PhoneNumberType.UAN: NumberKind.UAN,
    PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
}


@dataclass(frozen=True)
class Phone:
    """A valid number: `e164` is kept and sent to; `region` is ISO's two letters, "" where it belongs to no country."""

    e164: str
    region: str
    country_code: int
    kind: NumberKind

    @property
    def national(self) -> str:
        """The number as people in its country write it."""
        return _format(self.e164, PhoneNumberFormat.NATIONAL)

    @property
    def international(self) -> str:
        """The number as people elsewhere write it: +49 30 123456."""
        return pretty(self.e164)

    @property
    def is_mainland_china(self) -> bool:
        """Tell whether platform SMS carries it; Hong Kong, Macau and Taiwan are regions of their own."""
        return self.region == "CN"


class SenderKind(StrEnum):
    """What a message can be sent from."""

    PHONE_NUMBER = "phone_number"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"


@dataclass(frozen=True)
class Sender:
    """A sender in the form Twilio takes: E.164, the digits of a short code, or a name."""

    kind: SenderKind
    value: str


@dataclass(frozen=True)
class SearchForms:
    """How a typed number may stand in the log: as one of `exact` (E.164), or ending in the digits `suffix`."""

    exact: tuple[str, ...] = ()
    suffix: str = ""


def parse_phone(raw: str, *, region: str | None, allow_magic: bool = False) -> Phone:
    """Read a number in any writing, national ones as in `region`; raise PhoneProblem.

    The old mobile prefix of Mexico (+52 1), which WhatsApp still reports, is dropped: such numbers are +52 now.
    """
    digits = _read_digits(raw)
    home = _known_region(region)
    number = _parse_digits(digits, home)
    # What is of no type is not valid; `is_valid_number` would find the same out once more.
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        raise _explain_invalid(number, is_international=digits.startswith("+"))
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if e164 in MAGIC_NUMBERS and not allow_magic:
        raise PhoneProblem("not_valid", "This is one of Twilio's test numbers, which nobody answers. Write a real one.")
    return Phone(
        e164=e164,
        region=_region_of(number),
        country_code=number.country_code or 0,
        kind=_KINDS.get(kind, NumberKind.UNKNOWN),
    )


def parse_sender(raw: str, *, region: str | None) -> Sender:
    """Read what a message shall be sent from; raise PhoneProblem.

    Names have 1 to 11 of A–Z, a–z, 0–9, space and & + - _, with at least one letter:
    https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
    """
    value = _strip_invisible(raw).strip()
    if not value:
        raise PhoneProblem("empty", "Write what to send from: a number like +1 212 555 0100, a short code or a name.")
    _refuse_channel_prefix(value)
    if any(character.isalpha() for character in value):
        return _read_name(value)
    digits = _read_digits(value)
    if _SHORT_CODE.fullmatch(digits):
        return Sender(SenderKind.SHORT_CODE, digits)
    number = _parse_digits(digits, _known_region(region))
    # Possible is enough: Twilio rents out numbers of ranges younger than our tables, and knows which are yours.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise _explain_invalid(number, is_international=digits.startswith("+"))
    return Sender(SenderKind.PHONE_NUMBER, phonenumbers.format_number(number, PhoneNumberFormat.E164))


def search_forms(query: str, *, region: str | None) -> SearchForms:
    """Return how the number that was typed into a search may be stored; nothing where it is no number.

    Four last digits are enough. A national number of another country than `region` is found by its end.
    """
    try:
        digits = _read_digits(query.replace("•", "").replace("*", ""))
    except PhoneProblem:
        return SearchForms()
    plain = digits.lstrip("+")
    if not 4 <= len(plain) <= 17:
        return SearchForms()
    is_whole = digits.startswith("+") or (digits.startswith("00") and len(plain) >= 10)
    # Leading zeros are mostly a trunk prefix, which is not stored; few digits are taken as the end of a number.
    core = plain.lstrip("0")
    exact = [f"+{core}"] if 7 <= len(core) <= 15 else []
    with suppress(PhoneProblem):  # what is not valid may still be the end of a number
        exact.insert(0, parse_phone(digits, region=region, allow_magic=True).e164)
    suffix = "" if is_whole else core if len(core) >= 6 else plain
    return SearchForms(exact=tuple(dict.fromkeys(exact)), suffix=suffix)


@lru_cache(maxsize=4096)
def pretty(e164: str) -> str:
    """Return a number as people write it internationally, +49 30 123456; what is no number comes back as it is."""
    return _format(e164, PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=4096)
def find_region(e164: str) -> str:
    """Return the two letters of the region of a stored number, "" where it has none."""
    try:
        return _region_of(phonenumbers.parse(e164, None))
    except NumberParseException:
        return ""


@lru_cache(maxsize=4096)
def guess_time_zone(e164: str) -> str:
    """Return the one time zone in which a number of this kind lives, "" where it may be one of several."""
    try:
        zones = time_zones_for_number(phonenumbers.parse(e164, None))
    except NumberParseException:
        return ""
    return zones[0] if len(zones) == 1 and zones[0] != UNKNOWN_TIMEZONE else ""


def region_name(region: str, *, language: str = "en") -> str:
    """Return a region's name; English is all there is so far. Numbers without a region are international ones."""
    if not region or region == _NON_GEOGRAPHIC:
        return "International number"
    return REGION_NAMES.get(region.upper(), region.upper())


def flag_emoji(region: str) -> str:
    """Return the flag of a region, "" where there is none."""
    if region.upper() not in REGION_NAMES:
        return ""
    return "".join(chr(ord("🇦") + ord(letter) - ord("A")) for letter in region.upper())


def _strip_invisible(raw: str) -> str:
    """Fold full-width forms, and drop the direction marks and control characters that come with copied numbers."""
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", raw)
        if character.isspace() or unicodedata.category(character) not in {"Cf", "Cc"}
    )


def _refuse_channel_prefix(value: str) -> None:
    if found := _CHANNEL_PREFIX.match(value):
        raise PhoneProblem(
            "not_a_number", f"Leave out “{found[0].lower()}” and write only the number; the channel is chosen apart."
        )


def _read_digits(raw: str) -> str:
    """Return the ASCII digits of a number in any writing, with its + where it has one; raise PhoneProblem."""
    if len(raw) > _LONGEST_INPUT:
        raise PhoneProblem("too_long", "This is too long for a phone number. Write one number, without other words.")
    value = _strip_invisible(raw).strip().removeprefix("'")
    if not value:
        raise PhoneProblem("empty", f"Write a phone number, for example {EXAMPLE}.")
    _refuse_channel_prefix(value)
    if _SPREADSHEET.fullmatch(value):
        raise PhoneProblem(
            "not_a_number",
            "A spreadsheet shortened this number. Format its column as text there, and enter the number again.",
        )
    if re.fullmatch(r"\+?[0-9]{7,}\.0", value):
        value = value[:-2]  # a spreadsheet took the number for a decimal one
    value = _SEPARATORS.sub("", value.removeprefix("tel:"))
    sign, digits = ("+", value[1:]) if value.startswith("+") else ("", value)
    if any(character.isalpha() for character in digits):
        raise PhoneProblem("not_a_number", f"A phone number has no letters. Write its digits, for example {EXAMPLE}.")
    if not digits.isdecimal():
        raise PhoneProblem("not_a_number", f"This is not a phone number. Write one number, for example {EXAMPLE}.")
    return sign + "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _known_region(region: str | None) -> str | None:
    wanted = (region or "").upper()
    return wanted if wanted in phonenumbers.SUPPORTED_REGIONS else None


def _parse_digits(digits: str, region: str | None) -> PhoneNumber:
    """Parse what `_read_digits` returned; raise PhoneProblem where it cannot be a number at all."""
    if region is None and not digits.startswith("+"):
        if not digits.startswith("00"):
            raise PhoneProblem(
                "no_country", f"The country is missing. Begin with + and the country code, for example {EXAMPLE}."
            )
        digits = f"+{digits[2:]}"
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException as error:
        raise _explain_unreadable(error) from error
    if digits.startswith("00") and not phonenumbers.is_valid_number(number):
        # 00 is how most of the world begins an international number, also people whose own country dials 011 or 010.
        return _parse_digits(f"+{digits[2:]}", region)
    # Numbering plans, Germany's for one, have room for more digits than E.164's fifteen.
    if len(str(number.country_code)) + len(phonenumbers.national_significant_number(number)) > 15:
        raise _too_long()
    return _without_old_prefix(number)


def _without_old_prefix(number: PhoneNumber) -> PhoneNumber:
    national = str(number.national_number)
    if number.country_code == 52 and len(national) == 11 and national.startswith("1"):
        return PhoneNumber(country_code=52, national_number=int(national[1:]))
    return number


def _region_of(number: PhoneNumber) -> str:
    region = phonenumbers.region_code_for_number(number)
    return "" if region is None or region == _NON_GEOGRAPHIC else region


def _format(e164: str, style: int) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164, None), style)
    except NumberParseException:
        return e164


def _read_name(value: str) -> Sender:
    if not _ALPHANUMERIC.fullmatch(value):
        raise PhoneProblem(
            "not_a_sender", "A sender's name may have letters A–Z, digits, spaces and & + - _. Leave out anything else."
        )
    if len(value) > 11:
        raise PhoneProblem(
            "not_a_sender", f"A sender's name has at most 11 characters; this has {len(value)}. Shorten it."
        )
    return Sender(SenderKind.ALPHANUMERIC, value)


def _explain_unreadable(error: NumberParseException) -> PhoneProblem:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return PhoneProblem("unknown_country", "No country has this code. Check the digits after the +.")
    return _too_long() if error.error_type == NumberParseException.TOO_LONG else _too_short()


def _explain_invalid(number: PhoneNumber, *, is_international: bool) -> PhoneProblem:
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        return _too_short()
    elsewhere = "" if is_international else " A number of another country begins with + and its country code."
    if reason == ValidationResult.TOO_LONG:
        return _too_long(elsewhere)
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    is_shared = len(phonenumbers.region_codes_for_country_code(number.country_code or 0)) > 1
    place = f" in {region_name(region)}" if region in REGION_NAMES and not is_shared else ""
    return PhoneProblem("not_valid", f"There are no such numbers{place}. Check the digits.{elsewhere}")


def _too_short() -> PhoneProblem:
    return PhoneProblem("too_short", "The number is too short. Check that no digit and no area code is missing.")


def _too_long(hint: str = "") -> PhoneProblem:
    message = "The number is too long. Check for extra digits, and write only one number."
    return PhoneProblem("too_long", message + hint)
