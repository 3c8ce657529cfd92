"""Who belongs to an organization, with which role and phone number: joining, changing, leaving."""

from django.db import transaction

from integrations.masking import mask_phone

from . import audit
from .models import Member, Organization, User
from .problems import OrganizationProblem
from .roles import Capability, Role, role_can


def add_member(
    organization: Organization, *, user: User, role: str, actor: User | str | None, ip: str = "", via: str = ""
) -> Member:
    """Make the user a member and return the membership; raises OrganizationProblem where one exists already."""
    with transaction.atomic():
        member, is_new = Member.objects.get_or_create(organization=organization, user=user, defaults={"role": role})
        if not is_new:
            raise OrganizationProblem("already_member", f"{user.email} already belongs to {organization.name}.")
        changes = {"role": role} | ({"via": via} if via else {})
        audit.record(organization, actor=actor, action="member.added", target=user, changes=changes, ip=ip)
    return member


def change_role(member: Member, *, role: str, actor: Member, ip: str = "") -> Member:
    """Give the member another role and return the fresh row; the same role again changes nothing.

    Raises OrganizationProblem where the actor's role does not reach so far, or no owner would be left.
    """
    with transaction.atomic():
        member, actor = _locked(member, actor=actor)
        if member.role == role:
            return member
        if Role.OWNER in (member.role, role):
            _require_owner(actor, member=member)
        if member.role == Role.OWNER:
            _require_another_owner(member)
        old, member.role = member.role, role
        member.save(update_fields=["role"])
        audit.record(
            member.organization,
            actor=actor.user,
            action="member.role_changed",
            target=member.user,
            changes={"role": [old, role]},
            ip=ip,
        )
    return member


def set_phone(member: Member, *, phone: str, actor: Member, ip: str = "") -> Member:
    """Keep the member's number, E.164 or "" for none, and return the fresh row; the same again changes nothing.

    Automations text it at the organization's cost, so that who writes it down stands in the audit log. Raises
    OrganizationProblem where it is not the actor's to write.
    """
    with transaction.atomic():
        member, actor = _locked(member, actor=actor)
        if member.phone == phone:
            return member
        if phone and not may_set_phone(actor, member):
            raise OrganizationProblem(
                "owners_only", f"The number of an owner is written by owners alone: ask {member.user}."
            )
        old, member.phone = member.phone, phone
        member.save(update_fields=["phone"])
        what = "changed" if old and phone else "added" if phone else "removed"
        shown = [mask_phone(number) for number in (old, phone) if number]
        audit.record(
            member.organization,
            actor=actor.user,
            action=f"member.phone_{what}",
            target=member.user,
            changes={"phone": shown if what == "changed" else shown[0]},
            ip=ip,
        )
    return member


def remove_member(member: Member, *, actor: Member, ip: str = "") -> None:
    """Take the member out of the organization; what they sent and wrote stays, and so do the API keys they made."""
    with transaction.atomic():
        member, actor = _locked(member, actor=actor)
        if member.role == Role.OWNER:
            _require_owner(actor, member=member)
            _require_another_owner(member)
        _end(member, action="member.removed", actor=actor.user, ip=ip)


def leave(member: Member, *, ip: str = "") -> None:
    """End one's own membership; the last owner cannot."""
    with transaction.atomic():
        member, _ = _locked(member, actor=member)
        if member.role == Role.OWNER:
            _require_another_owner(member)
        _end(member, action="member.left", actor=member.user, ip=ip)


def may_touch(actor: Member, member: Member) -> bool:
    """Tell whether the actor may change or remove the member: owners are in the hands of owners."""
    return actor.can(Capability.MANAGE_MEMBERS) and (member.role != Role.OWNER or actor.role == Role.OWNER)


def may_set_phone(actor: Member, member: Member) -> bool:
    """Tell whether the actor may write the member's number: one's own, or whom one may touch.

    To remove it is more widely allowed, to all who manage members: a wrong number texts somebody else.
    """
    return actor.pk == member.pk or may_touch(actor, member)


def roles_within_reach(actor: Member) -> list[str]:
    """Return the roles that the actor may give, strongest first."""
    return [role for role in Role.values if role != Role.OWNER or actor.role == Role.OWNER]


def _end(member: Member, *, action: str, actor: User, ip: str) -> None:
    audit.record(
        member.organization, actor=actor, action=action, target=member.user, changes={"role": member.role}, ip=ip
    )
    member.delete()


def _locked(member: Member, *, actor: Member) -> tuple[Member, Member]:
    """Return fresh rows of both, in a queue: one change of an organization's members at a time.

    The lock on the organization keeps two owners from demoting each other at once, each seeing the other still in
    place; rows of members alone would not, because the second owner's row is not the one that changes.
    """
    Organization.objects.select_for_update().get(pk=member.organization_id)
    rows = Member.objects.select_related("organization", "user").in_bulk([member.pk, actor.pk])
    if actor.pk not in rows or (actor.pk != member.pk and not role_can(rows[actor.pk].role, Capability.MANAGE_MEMBERS)):
        raise OrganizationProblem("not_allowed", "Your role changed in the meantime: reload the page.")
    if member.pk not in rows:
        raise OrganizationProblem("gone", "This person no longer belongs to the organization.")
    return rows[member.pk], rows[actor.pk]


def _require_owner(actor: Member, *, member: Member) -> None:
    if actor.role != Role.OWNER:
        raise OrganizationProblem(
            "owners_only", f"Only an owner may make or remove owners: ask one to change {member.user}.", field="role"
        )


def _require_another_owner(member: Member) -> None:
    others = Member.objects.filter(organization_id=member.organization_id, role=Role.OWNER).exclude(pk=member.pk)
    if not others.filter(user__is_active=True).exists():
        raise OrganizationProblem(
            "last_owner",
            f"{member.user} is the last owner of {member.organization.name}: make somebody else an owner first.",
            field="role",
        )
