"""The same request twice is one message: keys hold for 24 hours, per organization."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from integrations.organizations.models import Organization

from .models import IdempotencyKey, Message

HOLDS_FOR = timedelta(hours=24)
LONGEST_KEY = 255


# It waits for a transaction that has inserted the same key and not ended yet, and leaves the row locked for ours. A key
# whose time is over is taken as if it were new.
_HOLD = """
INSERT INTO messaging_idempotencykey AS k (organization_id, key, body_hash, created_at)
VALUES (%s, %s, %s, now())
ON CONFLICT (organization_id, key) DO UPDATE SET (body_hash, message_id, result, created_at) = (
    SELECT CASE WHEN is_over THEN EXCLUDED.body_hash ELSE k.body_hash END,
        CASE WHEN is_over THEN NULL ELSE k.message_id END,
        CASE WHEN is_over THEN NULL ELSE k.result END,
        CASE WHEN is_over THEN EXCLUDED.created_at ELSE k.created_at END
    FROM (SELECT k.created_at < now() - %s * interval '1 second' AS is_over) AS age)
RETURNING id, body_hash, message_id
"""


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
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD, [organization.pk, key, body_hash, HOLDS_FOR.total_seconds()])
        held, held_hash, message_id = cursor.fetchone()
        if held_hash != body_hash:
            raise KeyReused
        if message_id is not None:
            return Message.objects.get(pk=message_id), False
        message = make()
        cursor.execute("UPDATE messaging_idempotencykey SET message_id = %s WHERE id = %s", [message.pk, held])
    return message, True


def once_with_result(
    organization: Organization, *, key: str, body: Any, make: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Do the same for a request that makes something else: `make` returns, as JSON, what answering again needs."""
    body_hash = fingerprint(body)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD, [organization.pk, key, body_hash, HOLDS_FOR.total_seconds()])
        pk, held_hash, message_id = cursor.fetchone()
        if held_hash != body_hash or message_id is not None:
            raise KeyReused
        held = IdempotencyKey.objects.get(pk=pk)
        if held.result is not None:
            return held.result, False
        held.result = result = make()
        held.save(update_fields=["result"])
    return result, True
