"""Credentials of sandbox accounts, derived from the installation's sandbox secret and never stored.

A restarted sandbox knows every account again: an Account SID carries 64 random bits and 64 bits that only the holder of
the secret can compute, and the SID of an API key carries the same random bits, so that a request which names only the
key (Messaging and Verify have no account in their paths) still leads to its account.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

_SEED_LENGTH = 16

# Area codes in which the fictitious range 555-0100 to 555-0199 belongs to nobody. 202 is left out: it holds the numbers
# with a built-in outcome (integrations/sandbox/server/outcomes.py).
_AREA_CODES = ("206", "212", "213", "214", "215", "303", "305", "310", "312", "313", "404", "408", "412", "415", "503")


@dataclass(frozen=True)
class SandboxCredentials:
    """What an organization would copy from Twilio's console, for one sandbox account."""

    account_sid: str
    auth_token: str = field(repr=False)
    api_key_sid: str
    api_key_secret: str = field(repr=False)
    messaging_service_sid: str
    verify_service_sid: str
    phone_number: str


@dataclass(frozen=True)
class SandboxTestCredentials:
    """The second, free pair of credentials of an account, which works with magic numbers only."""

    account_sid: str
    auth_token: str = field(repr=False)


def _digest(secret: str, purpose: str, subject: str) -> str:
    return hmac.new(secret.encode(), f"{purpose}:{subject}".encode(), hashlib.sha256).hexdigest()


def _account_sid_from_seed(secret: str, seed: str) -> str:
    return f"AC{seed}{_digest(secret, 'account', seed)[:16]}"


def new_account_sid(secret: str) -> str:
    """Make an Account SID that every sandbox with this secret recognises as its own."""
    return _account_sid_from_seed(secret, secrets.token_hex(_SEED_LENGTH // 2))


def is_sandbox_account_sid(secret: str, account_sid: str) -> bool:
    """Tell whether `new_account_sid` made this SID with the same secret."""
    seed = account_sid[2 : 2 + _SEED_LENGTH]
    return len(seed) == _SEED_LENGTH and hmac.compare_digest(
        _account_sid_from_seed(secret, seed).encode(), account_sid.encode()
    )


def is_test_account_sid(secret: str, account_sid: str) -> bool:
    """Tell whether this is the Account SID of a pair of test credentials."""
    seed = account_sid[2 : 2 + _SEED_LENGTH]
    expected = f"AC{seed}{_digest(secret, 'test-account', seed)[:16]}"
    return len(seed) == _SEED_LENGTH and hmac.compare_digest(expected.encode(), account_sid.encode())


def derive_auth_token(secret: str, account_sid: str, *, generation: int = 0) -> str:
    """Return the account's auth token; a higher generation is the token after that many rotations."""
    purpose = "auth-token" if generation == 0 else f"auth-token-{generation}"
    return _digest(secret, purpose, account_sid)[:32]


def derive_credentials(secret: str, account_sid: str) -> SandboxCredentials:
    """Compute the credentials of a sandbox account; the same input gives the same output for ever."""
    digits = int(_digest(secret, "phone-number", account_sid)[:8], 16)
    area_code = _AREA_CODES[digits % len(_AREA_CODES)]
    return SandboxCredentials(
        account_sid=account_sid,
        auth_token=derive_auth_token(secret, account_sid),
        api_key_sid=f"SK{account_sid[2:18]}{_digest(secret, 'api-key', account_sid)[:16]}",
        api_key_secret=_digest(secret, "api-key-secret", account_sid)[:32],
        messaging_service_sid=f"MG{_digest(secret, 'messaging-service', account_sid)[:32]}",
        verify_service_sid=f"VA{_digest(secret, 'verify-service', account_sid)[:32]}",
        phone_number=f"+1{area_code}55501{digits // len(_AREA_CODES) % 100:02d}",
    )


def account_sid_of_api_key(secret: str, api_key_sid: str) -> str | None:
    """Return the account to which a sandbox API key belongs, or None where the key is not one of ours."""
    seed = api_key_sid[2 : 2 + _SEED_LENGTH]
    if len(api_key_sid) != 34 or not api_key_sid.isascii():
        return None
    account_sid = _account_sid_from_seed(secret, seed)
    expected = derive_credentials(secret, account_sid).api_key_sid
    return account_sid if hmac.compare_digest(expected, api_key_sid) else None


def derive_test_credentials(secret: str, account_sid: str) -> SandboxTestCredentials:
    """Compute the test credentials that belong to a sandbox account: an Account SID and a token of their own."""
    seed = _digest(secret, "test-seed", account_sid)[:_SEED_LENGTH]
    test_sid = f"AC{seed}{_digest(secret, 'test-account', seed)[:16]}"
    return SandboxTestCredentials(account_sid=test_sid, auth_token=derive_auth_token(secret, test_sid))
