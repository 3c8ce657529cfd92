"""Changing an organization's own settings."""

from collections.abc import Mapping

from django.db import transaction

from . import audit
from .models import Organization, User

CHANGEABLE = ("name", "default_region", "time_zone", "language")


def change_settings(
    organization: Organization, *, values: Mapping[str, str], actor: User, ip: str = ""
) -> dict[str, list[str]]:
    """Save the settings that differ and return them as {field: [old, new]}; an empty result saved nothing."""
    with transaction.atomic():
        # Locked, so that the old values in the audit log are those that were replaced.
        row = Organization.objects.select_for_update().get(pk=organization.pk)
        changes = {
            name: [getattr(row, name), values[name]]
            for name in CHANGEABLE
            if name in values and getattr(row, name) != values[name]
        }
        if changes:
            for name, (_, new) in changes.items():
                setattr(row, name, new)
            row.save(update_fields=list(changes))
            audit.record(row, actor=actor, action="organization.changed", target=row, changes=changes, ip=ip)
    for name in changes:
        setattr(organization, name, getattr(row, name))
    return changes
