"""Names of virtual phones for addresses: histories, proxies and logs must not see the number.

The number is encrypted under a key made of SECRET_KEY, bound to the connection, and always to the same token, so that a
phone has one address. An altered token, or another connection's, does not open.
"""

import base64
import binascii
import hashlib
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

_PURPOSE = b"heliograph sandbox phone"


class TokenUnreadable(Exception):
    """The token was not made here, or not for this connection."""


def seal_number(number: str, *, connection_id: uuid.UUID) -> str:
    """Return the token that stands for a phone of this connection in addresses."""
    sealed = _cipher().encrypt(number.encode(), [connection_id.bytes])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_number(token: str, *, connection_id: uuid.UUID) -> str:
    """Return the number behind a token; raises TokenUnreadable."""
    try:
        sealed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        return _cipher().decrypt(sealed, [connection_id.bytes]).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise TokenUnreadable("There is no such phone.") from error


def _cipher() -> AESSIV:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), person=_PURPOSE[:16], digest_size=64).digest()
    return AESSIV(key)
