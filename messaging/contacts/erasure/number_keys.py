"""The keyed hash that stands in the place of an erased person's number.

It fits where a number fits (`#` and 15 signs, 90 bits of an HMAC), so that an opt-out, a consent and a message of
somebody who was erased stay what they were, and say of nobody whose they are. Whoever has the number can ask whether it
is that of an erased person: so an erased person who opted out is still not texted. The secret is one for each
organization and stands encrypted under CREDENTIAL_KEYS; rotating those changes nothing of it.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence

from django.db import transaction

from integrations.organizations.models import Organization
from messaging.contacts.models import ErasureSecret

# Secrets of organizations that surely have one; they never change, so that a process may keep them.
_known: dict[uuid.UUID, bytes] = {}


def ensure_secret(organization: Organization) -> bytes:
    """Return the organization's secret, made now where there is none."""
    if (found := find_secret(organization)) is not None:
        return found
    with transaction.atomic():
        row, _ = ErasureSecret.objects.get_or_create(
            organization=organization, defaults={"secret": secrets.token_urlsafe(32)}
        )
    return _keep(organization, row)


def find_secret(organization: Organization) -> bytes | None:
    """Return the organization's secret, None where nothing was ever erased or sent."""
    if organization.pk not in _known:
        row = ErasureSecret.objects.filter(organization=organization).first()
        if row is None:
            return None
        return _keep(organization, row)
    return _known[organization.pk]


def number_key(organization: Organization, phone: str) -> str:
    """Return what stands in the place of a number that is erased."""
    return _hash(ensure_secret(organization), phone)


def forms_of(organization: Organization, phone: str) -> list[str]:
    """Return how a number may stand in opt-outs and consent: as itself, and as an erased person's."""
    return keys_of(organization, [phone])[phone]


def keys_of(organization: Organization, phones: Sequence[str]) -> dict[str, list[str]]:
    """Return for each number the forms in which it may stand."""
    secret = find_secret(organization)
    if secret is None:
        return {phone: [phone] for phone in phones}
    return {phone: [phone, _hash(secret, phone)] if phone.startswith("+") else [phone] for phone in phones}


def is_key(phone: str) -> bool:
    """Tell whether this stands in the place of an erased person's number."""
    return phone.startswith("#")


def _keep(organization: Organization, row: ErasureSecret) -> bytes:
    """Remember a secret once it is committed: one of a transaction that is taken back would be nobody's."""
    secret = row.secret.reveal().encode()
    transaction.on_commit(lambda: _known.update({organization.pk: secret}))
    return secret


def _hash(secret: bytes, phone: str) -> str:
    digest = hmac.new(secret, phone.encode(), hashlib.sha256).digest()
    return "#" + base64.urlsafe_b64encode(digest).decode()[:15]
