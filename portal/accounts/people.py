"""What becomes of the people of a portal. Every change of a status is one conditional UPDATE here, with its audit line.

invited → waiting | active; waiting → active | rejected; active ⇄ suspended; active | suspended → left; and whoever was
rejected or left may come again. Where somebody is no longer in, their sessions end in the same transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.organizations.audit import record
from integrations.organizations.models import User
from messaging.contacts.address_book import plain_line
from portal.forms.models import FormDraft, Submission, SubmissionExport

from . import sessions, telling, told
from .batch_models import PortalInvitationRow
from .models import (
    PortalDevice,
    PortalInvitation,
    PortalLogin,
    PortalNotification,
    PortalPasskey,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalText,
    PortalUser,
    PortalVisit,
)
from .offer_models import PortalHandover

Status = PortalUser.Status

SENTENCES = {
    "portal_user.approved": "approved {which} for the portal {portal}",
    "portal_user.rejected": "rejected {which} for the portal {portal}: {reason}",
    "portal_user.suspended": "suspended {which} in the portal {portal}",
    "portal_user.reinstated": "let {which} into the portal {portal} again",
    "portal_user.removed": "took {which} out of the portal {portal}",
    "portal_user.left": "left the portal {portal}: {which}",
    "portal_user.role_changed": "changed the role of {which} in the portal {portal} from {old} to {new}",
    "portal_user.erased": "erased a person of the portal {portal}",
}
# Whoever may log in, or will be once a decision is made.
IN = (Status.ACTIVE,)


class PersonProblem(Exception):
    """A change that cannot be made; the sentence says why."""


def move(user: PortalUser, *, to: str, only_from: Sequence[str], **values: Any) -> bool:
    """Change the status of somebody who still has one of these; return whether this call did it.

    The row is the judge: of two who decide at once one wins, and whoever pressed twice did it once.
    """
    moved = PortalUser.objects.filter(pk=user.pk, status__in=only_from).update(status=to, **values)
    if moved:
        user.refresh_from_db(fields=["status", *values])
    return bool(moved)


def approve(users: Iterable[PortalUser], *, actor: User | str, ip: str = "") -> list[PortalUser]:
    """Let in those who wait, and tell each by SMS; return who was approved by this call.

    Each is a transaction of its own: what keeps a text from being sent stands with it, and changes nothing else.
    """
    return [user for user in users if _decide(user, to=Status.ACTIVE, reason="", actor=actor, ip=ip)]


def reject(users: Iterable[PortalUser], *, actor: User | str, reason: str = "", ip: str = "") -> list[PortalUser]:
    """Turn away those who wait, and tell each by SMS why; return who was rejected by this call."""
    reason = plain_line(reason)[:300]
    return [user for user in users if _decide(user, to=Status.REJECTED, reason=reason, actor=actor, ip=ip)]


def suspend(user: PortalUser, *, actor: User | str, reason: str = "", ip: str = "") -> bool:
    """Keep somebody out until they are reinstated; return False where they are not in."""
    reason = plain_line(reason)[:300]
    with transaction.atomic():
        if not move(user, to=Status.SUSPENDED, only_from=IN, **_decision(actor, reason)):
            return False
        sessions.end_all(user)
        _record(user, "portal_user.suspended", actor=actor, ip=ip, **({"reason": reason} if reason else {}))
    return True


def reinstate(user: PortalUser, *, actor: User | str, ip: str = "") -> bool:
    """Let a suspended person in again; return False where they are not suspended."""
    with transaction.atomic():
        if not move(user, to=Status.ACTIVE, only_from=(Status.SUSPENDED,), **_decision(actor, "")):
            return False
        _record(user, "portal_user.reinstated", actor=actor, ip=ip)
    return True


def leave(user: PortalUser) -> bool:
    """End somebody's account because they want it; what they sent stays with the organization. False: ended before."""
    with transaction.atomic():
        if not move(user, to=Status.LEFT, only_from=IN):
            return False
        _end_account(user)
        # Who it was says the entry's object, whose name goes when the person is erased.
        _record(user, "portal_user.left", actor="Portal user")
    return True


def remove(user: PortalUser, *, actor: User | str, ip: str = "") -> bool:
    """End somebody's account because the organization wants it, in whatever state; False where it had ended."""
    ended = (Status.INVITED, Status.WAITING, Status.ACTIVE, Status.SUSPENDED)
    with transaction.atomic():
        if not move(user, to=Status.LEFT, only_from=ended, **_decision(actor, "")):
            return False
        _end_account(user)
        _record(user, "portal_user.removed", actor=actor, ip=ip)
    return True


def change_role(user: PortalUser, *, role: PortalRole | None, actor: User | str, ip: str = "") -> bool:
    """Give somebody a role of their portal, or none; return whether that changed anything."""
    if role is not None and role.portal_id != user.portal_id:
        raise PersonProblem("This role is one of another portal. Pick a role of this one.")
    with transaction.atomic():
        row = PortalUser.objects.select_for_update(of=("self",)).select_related("role").get(pk=user.pk)
        if row.role_id == (role.pk if role else None):
            return False
        PortalUser.objects.filter(pk=user.pk).update(role=role)
        change = [str(row.role or "none"), str(role or "none")]
        _record(user, "portal_user.role_changed", actor=actor, ip=ip, role=change)
        user.role = role
    return True


def rename(user: PortalUser, *, name: str) -> None:
    """Call somebody by another name."""
    user.name = plain_line(name)[:120]
    user.save(update_fields=["name"])


def erase(user: PortalUser, *, actor: User | str, ip: str = "") -> None:
    """Forget somebody in this portal: number, name, answers with files, devices, passkeys, sessions, exports.

    A row without a number stays, with its invitations and its days of logins, so that the statistics add up. What the
    organization knows of the number elsewhere (contact, message log, consent) stays: the contact's page erases that.
    """
    with transaction.atomic():
        forget(user)
        _record(user, "portal_user.erased", actor=actor, ip=ip)


def forget(user: PortalUser) -> None:
    """Empty the row of a person, delete what hangs on it, and take the name from the audit log; in a transaction."""
    form = user.portal.form_id
    sent = Q(pk=user.submission_id) if user.submission_id else Q(pk=None)
    if user.phone:
        sent |= Q(form=form, phone=user.phone)
        FormDraft.objects.filter(form=form, phone=user.phone).delete()
        PortalVisit.objects.filter(portal=user.portal_id, phone=user.phone).delete()
        PortalInvitationRow.objects.filter(batch__portal=user.portal_id, phone=user.phone).delete()
    SubmissionExport.objects.filter(form=form).delete()
    Submission.objects.filter(sent, form=form).delete()
    for model in (PortalSession, PortalDevice, PortalPasskey, PortalVisit, PortalSending, PortalHandover):
        model._default_manager.filter(user=user).delete()
    # What was written to them alone is about them.
    PortalNotification.objects.filter(user=user).delete()
    PortalLogin.objects.filter(user=user).update(user=None, device="", network="")
    PortalInvitation.objects.filter(user=user, used_at=None, revoked_at=None).update(revoked_at=Now())
    emptied: dict[str, Any] = {"phone": "", "name": "", "language": "", "password": "", "decision_reason": ""}
    PortalUser.objects.filter(pk=user.pk).update(
        status=Status.LEFT,
        submission=None,
        contact=None,
        terms=None,
        terms_at=None,
        role=None,
        number_since=None,
        password_lapses_at=None,
        **emptied,
    )
    user.refresh_from_db()
    with connection.cursor() as cursor:
        for pk in (user.pk, *user.invitations.values_list("pk", flat=True)):
            cursor.execute("SELECT heliograph_erase_audit(%s, %s)", [user.portal.organization_id, str(pk)])


def _decide(user: PortalUser, *, to: str, reason: str, actor: User | str, ip: str) -> bool:
    is_in = to == Status.ACTIVE
    with transaction.atomic():
        if not move(user, to=to, only_from=(Status.WAITING,), **_decision(actor, reason)):
            return False
        if is_in:
            telling.tell(user, PortalText.Kind.APPROVED)
            _record(user, "portal_user.approved", actor=actor, ip=ip)
            told.tell_of(user, told.APPROVED)
        else:
            sessions.end_all(user)
            telling.tell(user, PortalText.Kind.REJECTED, values={"reason": reason})
            _record(user, "portal_user.rejected", actor=actor, ip=ip, reason=reason or "no reason given")
            told.tell_of(user, told.REJECTED, reason=reason)
    return True


def _decision(actor: User | str, reason: str) -> dict[str, Any]:
    return {
        "decided_by": actor if isinstance(actor, User) else None,
        "decided_at": Now(),
        "decision_reason": reason,
    }


def _end_account(user: PortalUser) -> None:
    """Take away every way in: sessions, devices, passkeys, the password, an open invitation.

    The number may be somebody else's when it comes again: ways into forms go too, by which their answers are shown.
    """
    sessions.end_all(user)
    PortalDevice.objects.filter(user=user).delete()
    PortalHandover.objects.filter(user=user).delete()
    PortalPasskey.objects.filter(user=user).delete()
    PortalUser.objects.filter(pk=user.pk).update(password="", password_lapses_at=None)
    PortalInvitation.objects.filter(user=user, used_at=None, revoked_at=None).update(revoked_at=Now())


def _record(user: PortalUser, action: str, *, actor: User | str, ip: str = "", **changes: Any) -> None:
    changes = {"portal": user.portal.name, **changes}
    record(user.portal.organization, actor=actor, action=action, target=user, changes=changes, ip=ip)
