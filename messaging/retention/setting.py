"""Say after how many days texts are removed."""

from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .models import RetentionPolicy

SENTENCES = {"retention.changed": "changed how long texts of messages are kept from {old} to {new} days"}


def days_of(organization: Organization) -> int | None:
    """Return after how many days texts are removed, None where they are kept."""
    return RetentionPolicy.objects.filter(organization=organization).values_list("days", flat=True).first()


def set_days(organization: Organization, *, days: int | None, actor: User, ip: str = "") -> bool:
    """Keep texts for so many days from now on, or for good (None); return whether that was different."""
    with transaction.atomic():
        policy, _ = RetentionPolicy.objects.select_for_update().get_or_create(organization=organization)
        if policy.days == days:
            return False
        changes = {"days": [policy.days or "unlimited", days or "unlimited"]}
        policy.days = days
        policy.save(update_fields=["days", "updated_at"])
        record(organization, actor=actor, action="retention.changed", target=policy, changes=changes, ip=ip)
    return True
