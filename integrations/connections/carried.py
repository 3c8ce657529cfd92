"""Secrets carried over a failed check, so that nobody has to paste them again because another field was wrong.

They travel in a hidden field, encrypted under CREDENTIAL_KEYS, and open only for the same member of the same
organization within minutes. The page never holds them in plain text, and the server keeps nothing of a form that was
given up.
"""

import json
import time

from integrations.encryption import Secret, SecretUnreadable
from integrations.organizations.models import Organization, User

LIFETIME = 15 * 60  # seconds


def seal(secrets: dict[str, str], *, organization: Organization, user: User, purpose: str) -> str:
    """Return the hidden field's value for these secrets; the empty text where there are none."""
    filled = {name: value for name, value in secrets.items() if value}
    if not filled:
        return ""
    envelope = {"for": _owner(organization, user, purpose), "until": time.time() + LIFETIME, "secrets": filled}
    return Secret.of(json.dumps(envelope)).token


def unseal(sealed: str, *, organization: Organization, user: User, purpose: str) -> dict[str, str]:
    """Return the secrets of a hidden field; none where it is altered, too old or somebody else's."""
    if not sealed or not sealed.isascii():
        return {}
    try:
        envelope = json.loads(Secret(sealed).reveal())
    except (SecretUnreadable, ValueError):
        return {}
    if not isinstance(envelope, dict) or envelope.get("for") != _owner(organization, user, purpose):
        return {}
    return envelope["secrets"] if envelope["until"] > time.time() else {}


def _owner(organization: Organization, user: User, purpose: str) -> str:
    return f"{purpose}:{organization.pk}:{user.pk}"
