"""Codes: made at random, kept as a keyed hash, read in whatever way people paste them."""

import re
import secrets
import unicodedata
import uuid

from django.utils.crypto import constant_time_compare, salted_hmac

LENGTH = 6  # of our own codes; a Verify Service may be set to 4 to 10
SHORTEST, LONGEST = 4, 10
_LONGEST_INPUT = 400  # somebody may paste the whole message
_SALT = "messaging.verification.code"
_BETWEEN = re.compile(r"[\s.,·‐‑‒–—―_-]+")
_RUN = re.compile(r"[0-9]+")


def new_code() -> str:
    """Return a fresh code of our own."""
    return f"{secrets.randbelow(10**LENGTH):0{LENGTH}d}"


def hash_code(code: str, *, verification_id: uuid.UUID) -> str:
    """Return the keyed hash of a code, which fits this one verification."""
    return salted_hmac(_SALT, f"{verification_id}:{code}", algorithm="sha256").hexdigest()


def is_code(code: str, *, code_hash: str, verification_id: uuid.UUID) -> bool:
    """Tell in constant time whether the code is the one that was hashed."""
    return bool(code_hash) and constant_time_compare(hash_code(code, verification_id=verification_id), code_hash)


def read_code(raw: str) -> str:
    """Return the digits of a code as people paste it, "" where there are none to be told.

    Blanks and hyphens within are left out, full-width, Arabic and other digits become ASCII. From a whole message the
    one run of 4 to 10 digits is taken.
    """
    text = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in unicodedata.normalize("NFKC", raw[:_LONGEST_INPUT])
        if character.isspace() or unicodedata.category(character) not in {"Cf", "Cc"}
    )
    plain = _BETWEEN.sub("", text)
    if plain.isdigit() and plain.isascii():
        return plain if SHORTEST <= len(plain) <= LONGEST else ""
    runs = {run for run in _RUN.findall(text) if SHORTEST <= len(run) <= LONGEST}
    return runs.pop() if len(runs) == 1 else ""
