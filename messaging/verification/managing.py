"""What members do with verifications: cancel one, offer a channel again."""

import uuid

from django.db import transaction

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from . import life
from .models import ClosedChannel, Verification

SENTENCES = {
    "verification.canceled": "canceled a {which}",
    "verification.channel_offered": "offers verification codes by {channel} again",
}


def cancel(verification: Verification, *, actor: User, ip: str = "") -> bool:
    """Cancel a verification in a member's name; False where it had ended already."""
    if not verification.is_pending:
        return False
    life.cancel(verification)
    if verification.status != Verification.Status.CANCELED:
        return False
    record(verification.organization, actor=actor, action="verification.canceled", target=verification, ip=ip)
    return True


def offer_again(organization: Organization, closed_id: int, *, actor: User, ip: str = "") -> str:
    """Offer a channel again and return its name; "" where somebody else did so before."""
    with transaction.atomic():
        closed = ClosedChannel.objects.filter(connection__organization=organization, pk=closed_id).first()
        if closed is None:
            return ""
        channel = closed.get_channel_display()
        closed.delete()
        record(organization, actor=actor, action="verification.channel_offered", changes={"channel": channel}, ip=ip)
    return channel


def may_try(verification: Verification, *, member_id: uuid.UUID) -> bool:
    """Tell whether this member may enter the code: who asked for it; of an automation's, each who may send."""
    kind = Verification.AskerKind(verification.asker_kind)
    return kind == kind.AUTOMATION or (kind == kind.MEMBER and verification.asker_id == member_id)
