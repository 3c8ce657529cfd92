"""Inviting numbers: a text with a short link that works once, for that number, until it ends or is taken back.

The link's token is a keyed hash of the invitation, so that a reminder, and a text that is sent again, carry the same
link, and whichever somebody finds first works. Only the hash of the token is kept; the log of messages shows dots.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from integrations.clock import database_now
from integrations.organizations.audit import record
from integrations.organizations.models import User
from integrations.phones import Phone, PhoneProblem, parse_phone, pretty, region_name
from messaging.consent.blocking import OPTED_OUT
from messaging.contacts.address_book import plain_line
from messaging.contacts.models import Contact
from messaging.sending.statuses import FAILURES
from messaging.verification.limits import policy_of, regions_of

from . import told
from .addresses import address_of
from .models import Portal, PortalInvitation, PortalRole, PortalSending, PortalText, PortalUser
from .people import move
from .telling import NotTold, tell, tell_or_refuse

Kind, Status, Source = PortalText.Kind, PortalUser.Status, PortalInvitation.Source

SENTENCES = {
    "portal_invitation.sent": "invited {person} to the portal {portal}",
    "portal_invitation.sent_again": "sent the invitation of {person} to the portal {portal} again",
    "portal_invitation.revoked": "took back the invitation of {person} to the portal {portal}",
}
# No letters that look alike where somebody types the link; 57 signs, twelve of them: 70 bits.
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TOKEN_LENGTH = 12
# Whoever presses twice, or two members at once, send one text.
PAUSE = timedelta(minutes=1)
# Whoever is not in, nor about to be, may be invited (again).
AGAIN = (Status.INVITED, Status.REJECTED, Status.LEFT)


class State(StrEnum):
    """Where an invitation stands."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


class InvitationRefused(Exception):
    """A number is not invited: a stable `code`, a sentence with the next step, and the field where there is one."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


def invite(
    portal: Portal,
    *,
    phone: str | Phone,
    name: str = "",
    role: PortalRole | None = None,
    language: str = "",
    source: str = Source.HAND,
    actor: User | str | None,
    ip: str = "",
) -> PortalInvitation:
    """Invite a number by SMS; raise InvitationRefused, with nothing stored and nothing sent.

    A number has one open invitation at most; an expired one makes room for the new one. Whoever was rejected, or left,
    may be invited again. The text is queued in the same transaction: there is no invitation that nobody heard of.
    """
    found = _read_phone(portal, phone)
    _check_portal(portal, role=role, language=language)
    if refused := why_out_of_reach(found.region, regions=regions_with_codes(portal)):
        raise refused
    try:
        with transaction.atomic():
            user = _person(portal, found, name=name, role=role, language=language)
            _make_room(user)
            invitation = PortalInvitation(
                portal=portal, user=user, source=source, created_by=actor if isinstance(actor, User) else None
            )
            _renew(invitation)
            _send(invitation, Kind.INVITATION)
            _record(invitation, "portal_invitation.sent", actor=actor, ip=ip, source=invitation.get_source_display())
            told.tell_of(user, told.INVITED)
    except IntegrityError as error:  # the same number twice at once: a constraint lets one through
        raise _invited_already() from error
    return invitation


def resend(invitation: PortalInvitation, *, actor: User | str | None, ip: str = "") -> PortalInvitation:
    """Send an invitation again, with the same link and all its days anew; raise InvitationRefused."""
    with transaction.atomic():
        row = _locked(invitation)
        _check_portal(row.portal, role=None, language="")
        _check_unanswered(row)
        if row.user.status != Status.INVITED:
            raise _not_again(row.user)
        if refused := why_out_of_reach(row.user.region, regions=regions_with_codes(row.portal)):
            raise refused
        sent = PortalSending.objects.filter(user=row.user, kind__in=(Kind.INVITATION, Kind.REMINDER), problem_code="")
        if sent.filter(at__gt=Now() - PAUSE).exclude(message__status__in=FAILURES).exists():
            raise InvitationRefused("too_soon", "This invitation was sent a moment ago. Wait a minute first.")
        _renew(row)
        _send(row, Kind.INVITATION)
        _record(row, "portal_invitation.sent_again", actor=actor, ip=ip)
    return row


def revoke(invitation: PortalInvitation, *, actor: User | str | None, ip: str = "") -> PortalInvitation:
    """Take an invitation back: its link says so from now on. Raise InvitationRefused where it is over already."""
    with transaction.atomic():
        row = _locked(invitation)
        _check_unanswered(row)
        row.revoked_at = database_now()
        row.save(update_fields=["revoked_at"])
        _record(row, "portal_invitation.revoked", actor=actor, ip=ip)
    return row


def remind(invitation: PortalInvitation) -> PortalSending | None:
    """Remind somebody of an open invitation, once; None where there is nothing to remind of (any more)."""
    with transaction.atomic():
        row = _locked(invitation)
        if state_of(row) is not State.OPEN or row.reminded_at is not None or row.user.status != Status.INVITED:
            return None
        row.reminded_at = database_now()
        row.save(update_fields=["reminded_at"])
        return tell(row.user, Kind.REMINDER, values={"link": link_of(row)}, secret=token_of(row))


def find(portal: Portal, token: str) -> PortalInvitation | None:
    """Return the invitation of a link, whatever its state; None for a link that nobody made, or of another portal."""
    if len(token) != TOKEN_LENGTH:
        return None
    return (
        PortalInvitation.objects.select_related("user", "portal__organization", "portal__form")
        .filter(portal=portal, token_hash=hash_of(token))
        .first()
    )


def use(invitation: PortalInvitation) -> bool:
    """Use an invitation up, in the transaction that lets its person in; False where it no longer holds."""
    # Only columns of the row itself: an UPDATE that joins would not see what another transaction has just written.
    holds = PortalInvitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None, expires_at__gt=Now())
    return bool(holds.update(used_at=Now()))


def open_invitation_of(user: PortalUser) -> PortalInvitation | None:
    """Return the invitation that still lets somebody in, None where there is none."""
    return user.invitations.filter(used_at=None, revoked_at=None, expires_at__gt=Now()).first()


def open_numbers(portal: Portal, phones: Sequence[str]) -> set[str]:
    """Return those of the numbers whose invitation still holds."""
    rows = PortalInvitation.objects.filter(portal=portal, used_at=None, revoked_at=None, expires_at__gt=Now())
    return set(rows.filter(user__phone__in=phones).values_list("user__phone", flat=True))


def regions_with_codes(portal: Portal) -> set[str]:
    """Return the countries whose numbers can log in, because codes go there."""
    return regions_of(portal.organization, policy_of(portal.organization))


def countries_with_codes(portal: Portal) -> list[str]:
    """Return the names of these countries, as pages list them."""
    return sorted(region_name(region) for region in regions_with_codes(portal))


def why_out_of_reach(region: str, *, regions: set[str]) -> InvitationRefused | None:
    """Return why a number is not invited whose person would wait at the door for a code that never leaves."""
    if region in regions:
        return None
    return InvitationRefused(
        "no_codes_there",
        f"No codes go to this country ({region_name(region)}), so nobody could log in with this number. An owner or "
        "admin may add it under Settings → Verification limits.",
        field="phone",
    )


def why_not_again(user: PortalUser | None, *, is_open: bool) -> InvitationRefused | None:
    """Return why somebody who is known is not invited (again), None where they may be."""
    if is_open:
        return _invited_already()
    if user is None or user.status in AGAIN:
        return None
    return _not_again(user)


def state_of(invitation: PortalInvitation) -> State:
    """Return where an invitation stands at this moment; one that ended before it was replaced has expired."""
    if invitation.used_at is not None:
        return State.USED
    ended = invitation.revoked_at
    if ended is not None and ended < invitation.expires_at:
        return State.REVOKED
    return State.EXPIRED if ended is not None or invitation.expires_at <= database_now() else State.OPEN


def token_of(invitation: PortalInvitation) -> str:
    """Return the token of an invitation's link; nobody can guess or make one."""
    number = int.from_bytes(
        salted_hmac("heliograph.portal.invitation", str(invitation.pk), algorithm="sha256").digest()
    )
    signs = []
    for _ in range(TOKEN_LENGTH):
        number, place = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[place])
    return "".join(signs)


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(invitation: PortalInvitation) -> str:
    """Return the address that goes into the text."""
    return address_of(invitation.portal, f"i/{token_of(invitation)}")


def _read_phone(portal: Portal, phone: str | Phone) -> Phone:
    if isinstance(phone, Phone):
        return phone
    try:
        return parse_phone(phone, region=portal.organization.default_region)
    except PhoneProblem as problem:
        raise InvitationRefused(problem.code, problem.message, field="phone") from problem


def _check_portal(portal: Portal, *, role: PortalRole | None, language: str) -> None:
    if not portal.is_on:
        raise InvitationRefused(
            "portal_off", "The portal is switched off, so the link would lead nowhere. Switch it on first."
        )
    if role is not None and role.portal_id != portal.pk:
        raise InvitationRefused("unknown_role", "The portal has no such role. Pick one of its own.", field="role")
    if language and language not in portal.form.languages:
        raise InvitationRefused(
            "unknown_language",
            f"The portal does not speak “{language[:12]}”. It speaks: {', '.join(portal.form.languages)}.",
            field="language",
        )


def _person(portal: Portal, phone: Phone, *, name: str, role: PortalRole | None, language: str) -> PortalUser:
    """Return the person of a number, invited from now on; raise InvitationRefused where they cannot be."""
    contact = Contact.objects.filter(organization=portal.organization, phone=phone.e164).first()
    user = (
        PortalUser.objects.select_for_update(of=("self",))
        .select_related("portal__organization", "portal__form", "contact")
        .filter(portal=portal, phone=phone.e164)
        .first()
    )
    role = role or (user.role if user else None) or portal.roles.filter(is_default=True).first()
    spoken = contact.language if contact is not None and contact.language in portal.form.languages else ""
    values = {
        "name": plain_line(name)[:120] or (user.name if user else "") or (contact.name[:120] if contact else ""),
        "role": role,
        "language": language or (user.language if user else "") or spoken,
        "contact": contact,
    }
    if user is None:
        return PortalUser.objects.create(
            portal=portal, phone=phone.e164, region=phone.region[:3], status=Status.INVITED, **values
        )
    if not move(user, to=Status.INVITED, only_from=AGAIN, **values):
        raise _not_again(user)
    return user


def _not_again(user: PortalUser) -> InvitationRefused:
    number = pretty(user.phone)
    words: dict[str, str] = {
        Status.ACTIVE: f"{number} is in the portal already. They log in with a code at its address.",
        Status.WAITING: f"{number} has registered already and waits for approval. Approve them instead.",
        Status.SUSPENDED: f"{number} is suspended in the portal. Let them in again on their page instead.",
    }
    gone = "This person is not invited any more. Invite the number anew."
    return InvitationRefused(f"already_{user.status}", words.get(user.status, gone), field="phone")


def _make_room(user: PortalUser) -> None:
    """End the expired invitation of somebody; raise InvitationRefused where one still holds."""
    waiting = PortalInvitation.objects.select_for_update().filter(user=user, used_at=None, revoked_at=None).first()
    if waiting is None:
        return
    if state_of(waiting) is State.OPEN:
        raise _invited_already()
    waiting.revoked_at = database_now()
    waiting.save(update_fields=["revoked_at"])


def _invited_already() -> InvitationRefused:
    return InvitationRefused(
        "already_invited",
        "This number is invited already, and its link still works. Send that invitation again instead.",
        field="phone",
    )


def _renew(invitation: PortalInvitation) -> None:
    now, portal = database_now(), invitation.portal
    invitation.token_hash = hash_of(token_of(invitation))
    invitation.expires_at = now + timedelta(days=portal.invitation_days)
    remind_at = now + timedelta(days=portal.reminder_days) if portal.reminder_days else None
    # A reminder of a link that has ended would help nobody.
    invitation.remind_at = remind_at if remind_at is not None and remind_at < invitation.expires_at else None
    invitation.reminded_at = None
    invitation.save()


def _send(invitation: PortalInvitation, kind: str) -> None:
    try:
        tell_or_refuse(invitation.user, kind, values={"link": link_of(invitation)}, secret=token_of(invitation))
    except NotTold as problem:
        if problem.code == OPTED_OUT:
            raise _opted_out(invitation) from problem
        raise InvitationRefused(problem.code, problem.detail) from problem


def _opted_out(invitation: PortalInvitation) -> InvitationRefused:
    """Say why somebody is not invited, and what is left: they undo it, or the portal lets them register."""
    way = "They undo it by texting START to the number that your messages come from; then invite them again."
    if invitation.portal.admission != invitation.portal.Admission.INVITATION:
        way += f" Or give them the address, which lets them register: {address_of(invitation.portal)}"
    number = pretty(invitation.user.phone)
    return InvitationRefused(
        OPTED_OUT, f"{number} opted out of your messages, so no invitation was sent. {way}", field="phone"
    )


def _locked(invitation: PortalInvitation) -> PortalInvitation:
    """Return the row locked, so that a link cannot be used while it is taken back, nor sent twice."""
    row = (
        PortalInvitation.objects.select_for_update(of=("self",))
        .select_related("user__contact", "portal__organization", "portal__form")
        .get(pk=invitation.pk)
    )
    row.user.portal = row.portal
    return row


def _check_unanswered(invitation: PortalInvitation) -> None:
    if invitation.used_at is not None:
        raise InvitationRefused("used", "This invitation was accepted already: there is nothing left to change.")
    if invitation.revoked_at is not None:
        raise InvitationRefused("revoked", "This invitation was taken back. Invite the number anew.")


def _record(invitation: PortalInvitation, action: str, *, actor: User | str | None, ip: str, **changes: str) -> None:
    record(
        invitation.portal.organization,
        actor=actor,
        action=action,
        target=invitation,
        changes={"portal": invitation.portal.name, "person": str(invitation.user), **changes},
        ip=ip,
    )
