"""The same request twice is one message: keys hold for 24 hours, per organization."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations.organizations.models import Organization

from .models import IdempotencyKey, Message

HOLDS_FOR = timedelta(hours=24)
LONGEST_KEY = 255


class KeyReused(Exception):
    """The key was used within 24 hours for a request that said something else."""


def fingerprint(body: Any) -> str:
    """Return the hash of a request body as parsed JSON: the order of its fields and its blanks do not count."""
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


def once(organization: Organization, *, key: str, body: Any, make: Callable[[], Message]) -> tuple[Message, bool]:
    """Return the message of this key, made by `make` if it is the first time; and whether it was made now.

    Of many requests at once one makes the message; the others wait at the unique index until it is committed. Where
    `make` raises, the key is free again. Raises KeyReused for another body under the same key.
    """
    body_hash = fingerprint(body)
    with transaction.atomic():
        IdempotencyKey.objects.filter(organization=organization, key=key, created_at__lt=Now() - HOLDS_FOR).delete()
        # ON CONFLICT DO NOTHING waits for a transaction that has inserted the same key and not ended yet.
        IdempotencyKey.objects.bulk_create(
            [IdempotencyKey(organization=organization, key=key, body_hash=body_hash, created_at=Now())],
            ignore_conflicts=True,
        )
        held = IdempotencyKey.objects.select_for_update().get(organization=organization, key=key)
        if held.body_hash != body_hash:
            raise KeyReused
        if held.message is not None:
            return held.message, False
        message = make()
        held.message = message
        held.save(update_fields=["message"])
    return message, True
