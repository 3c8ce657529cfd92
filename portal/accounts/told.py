"""What automations are told of the people of a portal, each in the transaction of the thing."""

from typing import Any

from messaging.automations.fields import Field, Type
from messaging.happenings.telling import tell
from portal.forms.told import answer_values

from .models import PortalUser
from .selectors import questions_of

REGISTERED, APPROVED, REJECTED, INVITED = "portal.registered", "portal.approved", "portal.rejected", "portal.invited"

FIELDS = [
    Field("trigger.portal", "Portal: its name", Type.TEXT, "Driver portal"),
    Field("trigger.portal_user_id", "Portal user: id", Type.TEXT, "0197c3f0"),
    Field("trigger.name", "Portal user: name", Type.TEXT, "Anna Schmidt"),
    Field("trigger.phone", "Portal user: number", Type.PHONE, "+4915112345678"),
    Field("trigger.role", "Portal user: role", Type.TEXT, "Drivers"),
    Field("trigger.language", "Portal user: language", Type.TEXT, "en"),
    Field("trigger.status", "Portal user: status", Type.CHOICE, "active", tuple(PortalUser.Status.values)),
]
REASON = Field("trigger.reason", "Portal user: why they were rejected", Type.TEXT, "Unknown plate")


def tell_of(user: PortalUser, kind: str, **more: Any) -> None:
    """Tell what became of somebody."""
    portal = user.portal
    tell(
        portal.organization_id,
        kind,
        contact_id=user.contact_id,
        phone=user.phone,
        data={
            "portal": portal.name,
            "portal_id": str(portal.pk),
            "portal_user_id": str(user.pk),
            "name": user.name,
            "phone": user.phone,
            "role": str(user.role or ""),
            "role_id": str(user.role_id or ""),
            "language": user.language,
            "status": str(user.status),
            **more,
        },
    )


def tell_registered(user: PortalUser) -> None:
    """Tell that somebody registered, with what they answered."""
    answers = user.submission.answers if user.submission is not None else {}
    tell_of(user, REGISTERED, answer=answer_values(questions_of(user.portal), answers))
