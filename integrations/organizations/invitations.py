"""Inviting people by e-mail: offer, send again, take back, accept."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from . import audit
from .membership import add_member, roles_within_reach
from .models import Invitation, Member, Organization, User
from .problems import OrganizationProblem

LIFETIME = timedelta(days=7)


class State(StrEnum):
    """Where an invitation stands."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


def invite(
    organization: Organization, *, email: str, role: str, actor: Member | User | str, ip: str = ""
) -> tuple[Invitation, str]:
    """Offer membership to an address; return the invitation and its link, which is known only now.

    An expired offer to the same address is renewed. Sending the link is the caller's next step, outside the
    transaction. Raises OrganizationProblem where the person is a member, is invited already, or the role is too high.
    """
    email = email.strip().lower()
    if isinstance(actor, Member) and role not in roles_within_reach(actor):
        raise OrganizationProblem("owners_only", "Only an owner may invite owners.", field="role")
    if Member.objects.filter(organization=organization, user__email__iexact=email).exists():
        raise OrganizationProblem("already_member", f"{email} already belongs to {organization.name}.", field="email")
    who = actor.user if isinstance(actor, Member) else actor
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            invitation = _waiting(organization, email=email)
            if invitation is not None and invitation.is_open:
                raise _already_invited(email)
            if invitation is None:
                invitation = Invitation(organization=organization, email=email)
            invitation.role = role
            invitation.invited_by = who if isinstance(who, User) else None
            _renew(invitation, token=token)
            _record(invitation, "invitation.sent", actor=who, changes={"role": role}, ip=ip)
    except IntegrityError as error:  # two invitations of one address at once: the constraint lets one through
        raise _already_invited(email) from error
    return invitation, link_of(token)


def send_again(invitation: Invitation, *, actor: Member, ip: str = "") -> tuple[Invitation, str]:
    """Make a new link with a new week to live and return both; the old link is dead."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        invitation = _locked(invitation.pk)
        _require_unanswered(invitation)
        if invitation.role not in roles_within_reach(actor):
            raise OrganizationProblem("owners_only", "Only an owner may invite owners.")
        _renew(invitation, token=token)
        _record(invitation, "invitation.sent_again", actor=actor.user, ip=ip)
    return invitation, link_of(token)


def revoke(invitation: Invitation, *, actor: Member, ip: str = "") -> None:
    """Take the offer back; its link stops working."""
    with transaction.atomic():
        invitation = _locked(invitation.pk)
        _require_unanswered(invitation)
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        _record(invitation, "invitation.revoked", actor=actor.user, ip=ip)


def accept(invitation_id: uuid.UUID, *, user: User, ip: str = "") -> Member:
    """Make the invited user a member, once; raises OrganizationProblem saying why the offer no longer holds."""
    with transaction.atomic():
        invitation = _locked(invitation_id)
        state = state_of(invitation)
        if state is not State.OPEN:
            raise OrganizationProblem(f"invitation_{state}", f"This invitation is {state}.")
        if user.email.lower() != invitation.email.lower():
            raise OrganizationProblem("other_address", f"This invitation is for {invitation.email}.")
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])
        known = Member.objects.filter(organization=invitation.organization, user=user).first()
        return known or add_member(
            invitation.organization, user=user, role=invitation.role, actor=user, ip=ip, via="invitation"
        )


def find_by_token(token: str) -> Invitation | None:
    """Return the invitation of a link, whatever its state; None where there is none (or a newer link replaced it)."""
    return Invitation.objects.filter(token_hash=_hash(token)).select_related("organization").first()


def state_of(invitation: Invitation) -> State:
    """Return where the invitation stands at this moment."""
    if invitation.accepted_at is not None:
        return State.USED
    if invitation.revoked_at is not None:
        return State.REVOKED
    return State.OPEN if invitation.is_open else State.EXPIRED


def link_of(token: str) -> str:
    """Return the address that opens the invitation."""
    return f"{settings.PUBLIC_BASE_URL}/invitations/{token}/"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _renew(invitation: Invitation, *, token: str) -> None:
    invitation.token_hash = _hash(token)
    invitation.expires_at = timezone.now() + LIFETIME
    invitation.save()


def _locked(pk: uuid.UUID) -> Invitation:
    """Return the row locked, so that a link is used once and cannot be used while it is being taken back."""
    return Invitation.objects.select_for_update(of=("self",)).select_related("organization").get(pk=pk)


def _waiting(organization: Organization, *, email: str) -> Invitation | None:
    waiting = Invitation.objects.select_for_update().filter(organization=organization, email__iexact=email)
    return waiting.filter(accepted_at=None, revoked_at=None).first()


def _require_unanswered(invitation: Invitation) -> None:
    if state_of(invitation) in (State.USED, State.REVOKED):
        raise OrganizationProblem(
            "answered", f"This invitation is {state_of(invitation)}: there is nothing left to change."
        )


def _already_invited(email: str) -> OrganizationProblem:
    return OrganizationProblem(
        "already_invited", f"{email} is invited already: send that invitation again instead.", field="email"
    )


def _record(
    invitation: Invitation, action: str, *, actor: User | str, changes: dict[str, str] | None = None, ip: str = ""
) -> None:
    audit.record(invitation.organization, actor=actor, action=action, target=invitation, changes=changes, ip=ip)
