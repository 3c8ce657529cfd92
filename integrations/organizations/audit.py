"""The audit log: the one function that writes it."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from integrations.masking import mask_ip

from .models import AuditEntry, Organization, User

MASKED = "•••"
_SECRET_WORDS = ("secret", "token", "password", "key_hash")


def record(
    organization: Organization | None,
    *,
    actor: User | str | None,
    action: str,
    target: Model | None = None,
    changes: Mapping[str, Any] | None = None,
    ip: str = "",
) -> AuditEntry:
    """Add an entry and return it; call it in the transaction of the change it tells of.

    `action` is verb-like (`connection.rotated`); `changes` maps a field to its new value or to [old, new], and
    every field whose name speaks of a secret is masked here, whatever the caller passed.
    """
    label = actor.email if isinstance(actor, User) else actor or "Heliograph"
    return AuditEntry.objects.create(
        organization=organization,
        actor_id=actor.pk if isinstance(actor, User) else None,
        actor_label=label[:200],
        action=action,
        object_kind=str(target._meta.verbose_name)[:60] if target is not None else "",
        object_id=str(target.pk)[:40] if target is not None else "",
        object_label=str(target)[:200] if target is not None else "",
        changes={name: _masked(name, value) for name, value in (changes or {}).items()},
        ip=mask_ip(ip) if ip else "",
    )


def _masked(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in _SECRET_WORDS):
        return MASKED
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
