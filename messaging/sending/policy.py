"""An organization's own limits of sending: read and changed here."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations.connections.models import Connection
from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from . import daily_cap
from .daily_cap import CapUse, cap_use
from .limit_models import Pace, SendingPolicy
from .models import Message
from .statuses import Status

__all__ = ["CapUse", "blocked_regions", "cap_use", "change_policy", "policy_of", "set_sender_limit"]

SENTENCES = {
    "sending.limits_changed": "changed the sending limits",
    "sending.sender_limited": "changed the speed of a sender of {which}",
}
_QUIET = ("is_quiet", "quiet_from", "quiet_until")


def policy_of(organization: Organization) -> SendingPolicy:
    """Return the organization's policy; where it never set one, an unsaved one that limits nothing."""
    return SendingPolicy.objects.filter(organization=organization).first() or SendingPolicy(organization=organization)


def blocked_regions(organization: Organization) -> list[str]:
    """Return the countries that the organization does not send to, by ISO's two letters."""
    found = SendingPolicy.objects.filter(organization=organization).values_list("blocked_regions", flat=True).first()
    return found or []


def change_policy(
    organization: Organization, *, values: Mapping[str, Any], actor: User | None, ip: str = ""
) -> dict[str, list[Any]]:
    """Save the limits that differ and return them as {field: [old, new]}; workers keep to them a second later.

    Messages that wait only because of a limit that was changed are looked at anew.
    """
    with transaction.atomic():
        SendingPolicy.objects.get_or_create(organization=organization)
        row = SendingPolicy.objects.select_for_update().get(organization=organization)
        changes = {name: [getattr(row, name), value] for name, value in values.items() if getattr(row, name) != value}
        if not changes:
            return {}
        if "daily_cap" in changes and row.daily_cap is None:
            daily_cap.count_back(organization.pk, zone=organization.time_zone)
        for name, (_, new) in changes.items():
            setattr(row, name, new)
        row.save(update_fields=list(changes))
        if "daily_cap" in changes:
            _look_again(organization, reason="daily_cap")
        if any(name in changes for name in _QUIET):
            _look_again(organization, reason="quiet_hours")
        told = {name: [_plain(old), _plain(new)] for name, (old, new) in changes.items()}
        audit.record(organization, actor=actor, action="sending.limits_changed", target=row, changes=told, ip=ip)
    return changes


def set_sender_limit(connection: Connection, *, sender: str, mps: Any, actor: User | None, ip: str = "") -> bool:
    """Set how many messages a second the sender may send, or None for no limit of ours; tell whether that is new."""
    with transaction.atomic():
        Pace.objects.get_or_create(connection=connection, sender=sender)
        row = Pace.objects.select_for_update().get(connection=connection, sender=sender)
        if row.mps == mps:
            return False
        before, row.mps = row.mps, mps
        row.save(update_fields=["mps"])
        audit.record(
            connection.organization,
            actor=actor,
            action="sending.sender_limited",
            target=connection,
            changes={"sender": sender, "mps": [_plain(before), _plain(mps)]},
            ip=ip,
        )
    return True


def _look_again(organization: Organization, *, reason: str) -> None:
    Message.objects.filter(organization=organization, status=Status.QUEUED, error_reason=reason).update(due_at=Now())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return value if value is None or isinstance(value, bool | int) else str(value)
