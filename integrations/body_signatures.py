"""How webhooks are signed, those that leave and those that come in: one scheme, so that one check fits them all."""

import hashlib
import hmac
from collections.abc import Iterable

SIGNATURE_HEADER = "Heliograph-Signature"
ID_HEADER = "Idempotency-Key"


def sign(body: bytes, *, secrets: Iterable[str], at: int) -> str:
    """Return the value of the signature's header: `t=…`, and a `v1=…` under each secret that is good now."""
    return ",".join([f"t={at}", *(f"v1={mac_of(body, secret=secret, at=str(at))}" for secret in secrets)])


def mac_of(body: bytes, *, secret: str, at: str) -> str:
    """Return the HMAC-SHA256 of `{time}.{body}` in hex; the time in seconds, as the header says it."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
