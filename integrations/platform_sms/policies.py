"""What an organization sets for its platform SMS: the name that signs its texts, and when to warn of low credits."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from .models import PlatformPolicy

LONGEST_SIGNATURE = PlatformPolicy._meta.get_field("signature").max_length or 0
SENTENCES = {"platform_sms.changed": "changed the signature or the warning of platform SMS"}
# The brackets belong to the form of a signature, and a second pair would be taken for another one.
_BRACKETS = str.maketrans("", "", "【】[]\r\n\t")


def policy_of(organization: Organization) -> PlatformPolicy:
    """Return what the organization set; where it never did, an unsaved one with the defaults."""
    return PlatformPolicy.objects.filter(organization=organization).first() or PlatformPolicy(organization=organization)


def signature_of(organization: Organization) -> str:
    """Return the signature of domestic texts, with its brackets: what was set, else the organization's name."""
    own = PlatformPolicy.objects.filter(organization=organization).values_list("signature", flat=True).first()
    return f"【{own or as_signature(organization.name)}】"


def as_signature(name: str) -> str:
    """Return a name as it may stand in a signature: without brackets, at most so long as one may be."""
    return " ".join(name.translate(_BRACKETS).split())[:LONGEST_SIGNATURE].strip()


def sign(text: str, *, signature: str) -> str:
    """Put the signature before a text that does not begin with it."""
    return text if text.startswith(signature) else f"{signature}{text}"


def change_policy(
    organization: Organization, *, signature: str, warn_below: Decimal, actor: User | None, ip: str = ""
) -> bool:
    """Save what differs; tell whether anything did."""
    values: dict[str, Any] = {"signature": signature, "warn_below": warn_below}
    with transaction.atomic():
        PlatformPolicy.objects.get_or_create(organization=organization)
        row = PlatformPolicy.objects.select_for_update().get(organization=organization)
        changes = {name: [getattr(row, name), new] for name, new in values.items() if getattr(row, name) != new}
        if not changes:
            return False
        for name, (_, new) in changes.items():
            setattr(row, name, new)
        row.save(update_fields=list(changes))
        audit.record(
            organization,
            actor=actor,
            action="platform_sms.changed",
            target=row,
            changes={name: [str(old), str(new)] for name, (old, new) in changes.items()},
            ip=ip,
        )
    return True
