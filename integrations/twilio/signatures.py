"""Is a webhook really from Twilio? The rule is Twilio's (docs: usage/security), the computation that of its SDK.

What the SDK leaves to its users is done here: it raises on hostile input, takes a JSON body for a form in silence,
stumbles over repeated values in a plain mapping, and would compute with an empty token.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, get_signature_algorithm

_BODY_HASH = "bodySHA256"
# What the SDK raises on input that no genuine webhook has: an impossible port, lone surrogates, values of odd types.
_HOSTILE = (ValueError, TypeError, AttributeError, KeyError, IndexError)


def is_genuine(
    *,
    url: str,
    params: Mapping[str, Any] | str,
    signature: str | None,
    tokens: Sequence[str],
    algorithm_header: str | None = None,
) -> bool:
    """Tell whether one of the tokens made this signature; never raises.

    `url` is the address Twilio was told, with its query exactly as sent; a fragment (connection overrides) is not
    signed and dropped. `params` is the form, a QueryDict or a mapping whose values may be lists, or the body as text
    where it is JSON: then the address must carry `bodySHA256` and the body must have that hash.

    `algorithm_header` is given only where a SharedKey is expected (X-Twilio-Webhooks-Signature-Settings): `tokens` are
    then its secrets, and nothing but HMAC-SHA256 will do, so that a missing header cannot choose a weaker check.
    """
    if not signature or not isinstance(signature, str):
        return False
    algorithm = HMAC_SHA1
    try:
        if algorithm_header is not None:
            algorithm = get_signature_algorithm(algorithm_header)
            if algorithm != HMAC_SHA256:
                return False
        address = url.partition("#")[0]
        has_body_hash = _BODY_HASH in parse_qs(urlsplit(address).query)
        is_json = isinstance(params, str)
        # With the hash in its address a request's signature covers the address only: without the body it proves
        # nothing. And a body without that hash is covered by nothing.
        if has_body_hash != is_json and params != "":
            return False
        signed = params if isinstance(params, str) else _Form(params)
        # Every token is tried, also after a match, so that the time tells nothing about which one it was.
        verdicts = [
            RequestValidator(token).validate(address, signed, signature, algorithm) for token in tokens if token
        ]
    except _HOSTILE:
        return False
    return any(verdicts)


def sign(*, url: str, params: Mapping[str, Any] | str, token: str) -> str:
    """Return the signature (HMAC-SHA1, base64) that Twilio would send; for JSON the address must carry its hash."""
    signed = _Form({} if isinstance(params, str) else params)
    return str(RequestValidator(token).compute_signature(url.partition("#")[0], signed))


class _Form:
    """A form as the SDK wants it: names to go over, `getlist` for all values of one."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params

    def __iter__(self) -> Any:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def getlist(self, name: str) -> list[str]:
        if hasattr(self._params, "getlist"):
            return list(self._params.getlist(name))
        value = self._params[name]
        return list(value) if isinstance(value, list | tuple) else [value]
