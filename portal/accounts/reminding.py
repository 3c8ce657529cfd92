"""Reminders of invitations that nobody answered, each once."""

from django.db.models.functions import Now

from integrations.organizations.models import Organization

from .invitations import remind
from .models import PortalInvitation, PortalUser

_AT_ONCE = 200


def send_reminders() -> int:
    """Remind those whose time has come; return how many texts were made. A second worker finds each done."""
    due = PortalInvitation.objects.filter(
        remind_at__lte=Now(),
        used_at=None,
        revoked_at=None,
        reminded_at=None,
        expires_at__gt=Now(),
        user__status=PortalUser.Status.INVITED,
        portal__is_on=True,
        portal__organization__status=Organization.Status.ACTIVE,
    )
    return sum(remind(invitation) is not None for invitation in due.order_by("remind_at")[:_AT_ONCE])
