"""What somebody is to a portal who has just proved a number: the only place that tells, and only then."""

from dataclasses import dataclass
from enum import StrEnum

from . import passwords
from .invitations import open_invitation_of
from .models import Portal, PortalInvitation, PortalUser

Status, Admission = PortalUser.Status, Portal.Admission


class Where(StrEnum):
    """Where the way of a proved number leads."""

    IN = "in"
    PASSWORD = "password"  # noqa: S105 - the question for one
    REGISTER = "register"
    WAITING = "waiting"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    NOT_INVITED = "not_invited"
    INVITATION_OVER = "invitation_over"


@dataclass(frozen=True)
class Standing:
    """Where it leads, and who it is: `user` where the number is known, `invitation` where one lets them in."""

    where: Where
    user: PortalUser | None = None
    invitation: PortalInvitation | None = None


def standing_of(portal: Portal, phone: str) -> Standing:
    """Return what the person of a proved number is to the portal at this moment."""
    user = PortalUser.objects.select_related("role", "contact").filter(portal=portal, phone=phone).first()
    if user is not None:
        user.portal = portal
    if user is None or user.status == Status.LEFT:
        return Standing(Where.NOT_INVITED if _is_closed(portal) else Where.REGISTER, user)
    if user.status == Status.INVITED:
        invitation = open_invitation_of(user)
        if invitation is None and _is_closed(portal):
            return Standing(Where.INVITATION_OVER, user)
        return Standing(Where.REGISTER, user, invitation)
    if user.status == Status.REJECTED:
        may_apply = portal.may_apply_again and not _is_closed(portal)
        return Standing(Where.REGISTER if may_apply else Where.REJECTED, user)
    if user.status == Status.ACTIVE:
        return Standing(Where.PASSWORD if passwords.is_asked(user) else Where.IN, user)
    return Standing(Where.WAITING if user.status == Status.WAITING else Where.SUSPENDED, user)


def status_after(portal: Portal, standing: Standing) -> str:
    """Return the status of who registers in this standing: whoever was invited needs nobody's approval any more."""
    is_let_in = standing.invitation is not None or portal.admission == Admission.OPEN
    # Who was rejected is decided about once more, also where everybody else comes in at once.
    was_rejected = standing.user is not None and standing.user.status == Status.REJECTED
    return Status.ACTIVE if is_let_in and not was_rejected else Status.WAITING


def _is_closed(portal: Portal) -> bool:
    return portal.admission == Admission.INVITATION
