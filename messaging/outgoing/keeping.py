"""Making and changing the signing secret; it is shown when it is made and never again."""

import secrets
from datetime import timedelta

from django.db import transaction

from integrations.clock import database_now
from integrations.encryption import Secret
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .models import OutgoingSecret

SENTENCES = {
    "outgoing_secret.made": "made the signing secret of outgoing webhooks",
    "outgoing_secret.changed": "changed the signing secret of outgoing webhooks",
}
FORMER_FOR = timedelta(days=1)


def make_secret(organization: Organization, *, actor: User, ip: str = "") -> str:
    """Make the organization's secret, or a new one in its place, and return it: this once."""
    plain = f"hgs_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        row, is_new = OutgoingSecret.objects.select_for_update().get_or_create(organization=organization)
        now = database_now()
        if row.secret:
            row.former, row.former_until = row.secret, now + FORMER_FOR
        row.secret, row.made_at = Secret.of(plain), now
        row.save(update_fields=["secret", "former", "former_until", "made_at"])
        action = "outgoing_secret.made" if is_new else "outgoing_secret.changed"
        record(organization, actor=actor, action=action, target=row, ip=ip)
    return plain


def secret_row(organization: Organization) -> OutgoingSecret | None:
    """Return what is kept of the organization's secret; None where it never made one."""
    return OutgoingSecret.objects.filter(organization=organization).first()


def secrets_of(organization: Organization) -> tuple[str, ...]:
    """Return the secrets that sign at this moment, the newest first; () where none was made."""
    row = secret_row(organization)
    if row is None or not row.secret:
        return ()
    is_former_good = bool(row.former) and row.former_until is not None and row.former_until > database_now()
    return (row.secret.reveal(), *((row.former.reveal(),) if is_former_good else ()))
