"""What may be shown of things that identify people or open doors: enough to recognise, too little to use.

Every mask has the same length, so that it does not tell how long the hidden part is.
"""

import ipaddress
import re

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

DOTS = "•••••"

_CHANNEL = re.compile(r"[a-z]+:(?=\+)")
# Separators people write between digits, and the invisible marks that come with copied numbers.
_BETWEEN = r"[\s().\-/\u00a0\u00b7\u2010-\u2015\u200b-\u200f\u202a-\u202f\u2060-\u2069]{0,3}"
_NUMBER_IN_TEXT = re.compile(
    # Twilio's identifiers, UUIDs and dates are no numbers; what is not kept is a run of seven digits or more, with
    # the XXXX under which Twilio hides the last ones.
    r"(?P<kept>\b[A-Z]{2}[0-9a-f]{32}\b"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|(?<![\d+])(?:19|20)\d\d-\d\d-\d\d(?!\d))"
    rf"|(?P<number>(?:[+＋]{_BETWEEN})?\d(?:{_BETWEEN}\d){{6,}}X*)"
)


def mask_phone(phone: str) -> str:
    """Return a number with its country code and last two digits: +49•••••56. A name of a sender is left readable."""
    channel = _CHANNEL.match(phone)
    prefix = channel[0] if channel else ""
    rest = phone[len(prefix) :].strip()
    digits = "".join(filter(str.isdecimal, rest))
    if not digits or any(character.isalpha() for character in rest):
        return phone
    country = f"+{_country_code_of(digits)}" if rest.startswith("+") else ""
    # Of a few digits two would be half.
    return f"{prefix}{country}{DOTS}{digits[-2:] if len(digits) >= 5 else ''}"


def mask_email(email: str) -> str:
    """Return an address with its first letter and its domain: a•••••@example.com."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}{DOTS}@{domain}" if at else DOTS if email else ""


def mask_secret(value: str) -> str:
    """Return dots for a secret, nothing for none: that there is one may be shown, and nothing else."""
    return DOTS if value else ""


def mask_numbers_in(text: str) -> str:
    """Mask what looks like a phone number in free text, such as Twilio's error messages, to the last two digits."""
    return _NUMBER_IN_TEXT.sub(_mask_found, text)


def mask_ip(ip: str) -> str:
    """Return the network of an address: 203.0.113.0/24, 2001:db8:1::/48; nothing where it is no address."""
    try:
        address = ipaddress.ip_address(ip.strip().partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


def _mask_found(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    number = found["number"]
    digits = "".join(filter(str.isdecimal, number))
    hidden = DOTS if number.endswith("X") else f"{DOTS}{digits[-2:]}"
    return f"+{_country_code_of(digits)}{hidden}" if number[0] in "+＋" else hidden


def _country_code_of(digits: str) -> str:
    """Return the country code that international digits begin with; no code is the beginning of another."""
    return next((digits[:size] for size in (1, 2, 3) if digits[:size].isascii() and _is_code(digits[:size])), "")


def _is_code(digits: str) -> bool:
    return int(digits) in COUNTRY_CODE_TO_REGION_CODE
