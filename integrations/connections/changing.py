"""Change a connection without its secrets: name, senders, speed, and which one is the default."""

import copy
from decimal import Decimal

from django.db import transaction

from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from .check import CheckReport, Step, run_check
from .connecting import adopt
from .models import Connection
from .rotation import ConnectionChanged

_CHECKED = ("messaging_service_sid", "verify_service_sid", "sender")


def change(connection: Connection, *, values: dict[str, str | Decimal | None], actor: User, ip: str = "") -> list[Step]:
    """Change name, senders or speed; return what stood in the way.

    New senders are checked at Twilio first. With anything in the answer nothing was changed. Raises ConnectionChanged.
    """
    before = {name: getattr(connection, name) for name in values}
    changes = {name: [before[name], new] for name, new in values.items() if before[name] != new}
    if not changes:
        return []
    report: CheckReport | None = None
    if any(name in changes for name in _CHECKED):
        trial = copy.copy(connection)
        for name, (_, new) in changes.items():
            setattr(trial, name, new)
        report = run_check(trial)
        if obstacles := report.obstacles(changes):
            return obstacles
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.status == Connection.Status.DISCONNECTED:
            raise ConnectionChanged("The connection was disconnected meanwhile.")
        for name, (_, new) in changes.items():
            setattr(row, name, new)
        fields = adopt(row, report) if report is not None else []
        row.save(update_fields=[*changes, *fields])
        audit.record(row.organization, actor=actor, action="connection.changed", target=row, changes=changes, ip=ip)
    return []


def make_default(connection: Connection, *, actor: User, ip: str = "") -> None:
    """Make the connection the one used where none is named. Raises ConnectionChanged for a disconnected one."""
    with transaction.atomic():
        # One at a time for each organization, so that two admins end with one default.
        Organization.objects.select_for_update().get(pk=connection.organization_id)
        row = Connection.objects.get(pk=connection.pk)
        if row.status == Connection.Status.DISCONNECTED:
            raise ConnectionChanged("A disconnected connection cannot be the default.")
        if row.is_default:
            return
        others = Connection.objects.filter(organization=row.organization_id, is_default=True)
        old = others.first()
        others.update(is_default=False)
        Connection.objects.filter(pk=row.pk).update(is_default=True)
        changes = {"default": [old.name if old else None, row.name]}
        audit.record(
            connection.organization, actor=actor, action="connection.made_default", target=row, changes=changes, ip=ip
        )
