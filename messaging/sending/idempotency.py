"""The same request twice is one message: keys hold for 24 hours, per organization."""

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

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


class AlreadyDone(Exception):
    """Another request with this key and body was faster; `result` is what it made."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__("done by another request")
        self.result = result


def fingerprint(body: Any) -> str:
    """Return the hash of a request body as parsed JSON: the order of its fields and its blanks do not count."""
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


def once(organization: Organization, *, key: str, body: Any, make: Callable[[], Message]) -> tuple[Message, bool]:
    """Return the message of this key, made by `make` if it is the first time; and whether it was made now.

    Of many requests at once one makes the message; the others wait at the unique index until it is committed. Where
    `make` raises, the key is free again. Raises KeyReused for another body under the same key.
    """
    with transaction.atomic():
        held, message_id = _hold(organization, key=key, body=body)
        if message_id is not None:
            return Message.objects.get(pk=message_id), False
        message = make()
        IdempotencyKey.objects.filter(pk=held).update(message=message)
    return message, True


def once_with_result(
    organization: Organization, *, key: str, body: Any, make: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Do the same for a request that makes something else: `make` returns, as JSON, what answering again needs."""
    with transaction.atomic():
        held = _hold_for_result(organization, key=key, body=body)
        if held.result is not None:
            return held.result, False
        held.result = result = make()
        held.save(update_fields=["result"])
    return result, True


# Where making something takes a request to Twilio no transaction can be held around it: the key is bound to the row
# that is made first, in the transaction of that row, and freed where nothing was sent after all.


def result_of(organization: Organization, *, key: str, body: Any) -> dict[str, Any] | None:
    """Return what a request with this key and body has made, None where there was none; raises KeyReused."""
    held = IdempotencyKey.objects.filter(
        organization=organization, key=key, created_at__gte=timezone.now() - HOLDS_FOR
    ).first()
    if held is None:
        return None
    if held.body_hash != fingerprint(body) or held.result is None:
        raise KeyReused
    return held.result


def bind_result(organization: Organization, *, key: str, body: Any, result: dict[str, Any]) -> None:
    """Bind the key to what is being made, in the caller's transaction. Raises AlreadyDone and KeyReused.

    Of many at once one goes on; the others wait at the unique index until its row is committed.
    """
    held = _hold_for_result(organization, key=key, body=body)
    if held.result is not None:
        raise AlreadyDone(held.result)
    held.result = result
    held.save(update_fields=["result"])


def free_key(organization: Organization, *, key: str, result: dict[str, Any]) -> None:
    """Free a key whose request came to nothing, so that it may be tried anew."""
    IdempotencyKey.objects.filter(organization=organization, key=key, result=result).delete()


def _hold(organization: Organization, *, key: str, body: Any) -> tuple[int, uuid.UUID | None]:
    """Hold a key until the caller's transaction ends; return its row's id and that of the message it made, if it did.

    Raises KeyReused for another body under the same key.
    """
    body_hash = fingerprint(body)
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [organization.pk, key, body_hash, HOLDS_FOR.total_seconds()])
        held, held_hash, message_id = cursor.fetchone()
    if held_hash != body_hash:
        raise KeyReused
    return held, message_id


def _hold_for_result(organization: Organization, *, key: str, body: Any) -> IdempotencyKey:
    """Hold a key for what is no message, and return its row; raise KeyReused where a message was made by it."""
    held, message_id = _hold(organization, key=key, body=body)
    if message_id is not None:
        raise KeyReused
    return IdempotencyKey.objects.get(pk=held)
