"""Whether a connection works: the only place that turns it broken or working again."""

from django.db import transaction
from django.utils import timezone

from integrations.organizations import audit

from . import registry
from .models import Connection

_Status = Connection.Status


def mark_broken(connection: Connection, *, code: int, note: str = "") -> bool:
    """Mark an active connection as broken by a Twilio error; return whether this call did it.

    A worker may hold credentials that were rotated a moment ago; its complaint about the old ones changes nothing.
    """
    now = timezone.now()
    with transaction.atomic():
        changed = Connection.objects.filter(
            pk=connection.pk, status=_Status.ACTIVE, credentials_version=connection.credentials_version
        ).update(status=_Status.BROKEN, broken_code=code, broken_at=now)
        if changed:
            audit.record(
                connection.organization,
                actor=None,
                action="connection.broke",
                target=connection,
                changes={"code": code, **({"note": note} if note else {})},
            )
    if changed:
        connection.status, connection.broken_code, connection.broken_at = _Status.BROKEN, code, now
        # Robust: what one room makes of it must not keep the others, or the engine, from going on.
        transaction.on_commit(lambda: registry.tell_broken(connection), robust=True)
    return bool(changed)


def mark_working(connection: Connection) -> bool:
    """Mark a broken connection as working again; return whether this call did it."""
    with transaction.atomic():
        changed = Connection.objects.filter(pk=connection.pk, status=_Status.BROKEN).update(
            status=_Status.ACTIVE, broken_code=None, broken_at=None
        )
        if changed:
            audit.record(
                connection.organization,
                actor=None,
                action="connection.recovered",
                target=connection,
                changes={"code": [connection.broken_code, None]},
            )
    if changed:
        connection.status, connection.broken_code, connection.broken_at = _Status.ACTIVE, None, None
        transaction.on_commit(lambda: registry.tell_working(connection), robust=True)
    return bool(changed)
