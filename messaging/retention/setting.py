"""Say after how many days texts are removed, and what other rooms registered is deleted."""

from collections.abc import Mapping

from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .kept import KINDS
from .models import RetentionPolicy

SENTENCES = {
    "retention.changed": "changed how long texts of messages are kept from {old} to {new} days",
}


def policy_of(organization: Organization) -> RetentionPolicy:
    """Return what the organization set, or an unsaved policy where it never did: all is kept."""
    found = RetentionPolicy.objects.filter(organization=organization).first()
    return found or RetentionPolicy(organization=organization)


def change_days(organization: Organization, *, values: Mapping[str, int | None], actor: User, ip: str = "") -> bool:
    """Keep things for so many days from now on, or for good (None); return whether anything was different."""
    with transaction.atomic():
        policy, _ = RetentionPolicy.objects.select_for_update().get_or_create(organization=organization)
        changed = {name: (getattr(policy, name), new) for name, new in values.items() if getattr(policy, name) != new}
        for name, (old, new) in changed.items():
            setattr(policy, name, new)
            changes = {"days": [old or "unlimited", new or "unlimited"]}
            action = KINDS[name].action if name in KINDS else "retention.changed"
            record(organization, actor=actor, action=action, target=policy, changes=changes, ip=ip)
        if changed:
            policy.save(update_fields=[*changed, "updated_at"])
    return bool(changed)
