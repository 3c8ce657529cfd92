"""Is this webhook from whom it should be? By the secret itself, or by a signature over the body that needs it."""

import time
from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from integrations.body_signatures import mac_of
from messaging.api.problems import ApiProblem

SECRET, SIGNATURE = "secret", "signature"
TOLERANCE = 300  # seconds between the signature's time and ours, to either side
_HEADER = "X-Heliograph-Signature"


def check(request: HttpRequest, body: bytes, *, auth: str, secrets: Sequence[str]) -> str:
    """Raise ApiProblem unless the call carries what is asked for: 401 where it is missing, 403 where it is wrong.

    Return the time that was signed with the body, "" where nothing was signed.
    """
    if not secrets:
        raise ApiProblem("bad_signature", "This webhook has no secret yet. Make one beside the automation’s trigger.")
    if auth == SIGNATURE:
        return _check_signature(request.headers.get(_HEADER, ""), body, secrets)
    _check_secret(request, secrets)
    return ""


def _check_secret(request: HttpRequest, secrets: Sequence[str]) -> None:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    given = request.headers.get("X-Heliograph-Secret", "").strip() or (token if scheme.lower() == "bearer" else "")
    if not given.strip():
        raise ApiProblem(
            "missing_signature", "Send the secret as Authorization: Bearer …, or in the header X-Heliograph-Secret."
        )
    if not any(constant_time_compare(given.strip(), secret) for secret in secrets):
        raise ApiProblem("bad_signature", "This is not the secret of this webhook.")


def _check_signature(header: str, body: bytes, secrets: Sequence[str]) -> str:
    if not header.strip():
        raise ApiProblem("missing_signature", f"Sign the body: {_HEADER}: t=…,v1=….")
    parts = [part.strip().partition("=") for part in header[:2_000].split(",")]
    at = next((value for name, _, value in parts if name == "t"), "")
    macs = [value.lower() for name, _, value in parts if name == "v1"]
    if not (at.isascii() and at.isdecimal() and len(at) <= 12) or not macs:
        raise ApiProblem("bad_signature", f"Write {_HEADER} as t=(seconds since 1970),v1=(hexadecimal HMAC-SHA256).")
    expected = [mac_of(body, secret=secret, at=at) for secret in secrets]
    if not any(constant_time_compare(mac, own) for mac in macs[:5] for own in expected):
        raise ApiProblem(
            "bad_signature", "The signature does not fit: sign the time, a point and the raw body with the secret."
        )
    if abs(time.time() - int(at)) > TOLERANCE:
        raise ApiProblem("bad_signature", "The signature’s time is more than 5 minutes off. Check the sender’s clock.")
    return at
