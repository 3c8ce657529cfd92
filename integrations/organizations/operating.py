"""What the operator does with organizations: create, suspend, reactivate."""

import re

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from . import audit
from .invitations import invite
from .membership import add_member
from .models import Invitation, Organization, User
from .people import find_person
from .problems import OrganizationProblem
from .roles import Role

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")


def create_organization(
    *,
    name: str,
    slug: str = "",
    default_region: str = "US",
    time_zone: str = "UTC",
    language: str = "en",
    actor: User | str | None,
    ip: str = "",
) -> Organization:
    """Create an organization without members; raises OrganizationProblem where name or slug is taken or malformed."""
    name = " ".join(name.split())
    if not name:
        raise OrganizationProblem("no_name", "The organization needs a name.", field="name")
    slug = slug.strip().lower() or slugify(name)[:50].strip("-")
    if not _SLUG.fullmatch(slug):
        raise OrganizationProblem(
            "bad_slug", "The slug takes small letters, digits and hyphens: acme-logistics.", field="slug"
        )
    if Organization.objects.filter(name__iexact=name).exists():
        raise OrganizationProblem("name_taken", f"There is an organization “{name}” already.", field="name")
    try:
        with transaction.atomic():
            organization = Organization.objects.create(
                name=name, slug=slug, default_region=default_region, time_zone=time_zone, language=language
            )
            audit.record(
                organization,
                actor=actor,
                action="organization.created",
                target=organization,
                changes={"slug": slug, "default_region": default_region, "time_zone": time_zone},
                ip=ip,
            )
    except IntegrityError as error:
        raise OrganizationProblem("slug_taken", f"The slug “{slug}” is taken: choose another.", field="slug") from error
    return organization


def give_owner(
    organization: Organization, *, email: str, actor: User | str, ip: str = ""
) -> tuple[User, None] | tuple[Invitation, str]:
    """Make the user of that address owner, or invite the address as owner: (invitation, link to send)."""
    user = find_person(email)
    if user is None:
        return invite(organization, email=email, role=Role.OWNER, actor=actor, ip=ip)
    add_member(organization, user=user, role=Role.OWNER, actor=actor, ip=ip)
    return user, None


def suspend(organization: Organization, *, reason: str, actor: User, ip: str = "") -> bool:
    """Stop the organization's pages, API and sending; False where it was suspended before."""
    return _switch(
        organization,
        to=Organization.Status.SUSPENDED,
        action="organization.suspended",
        changes={"reason": reason},
        fields={"suspended_at": timezone.now(), "suspended_reason": reason},
        actor=actor,
        ip=ip,
    )


def reactivate(organization: Organization, *, actor: User, ip: str = "") -> bool:
    """Let the organization go on; False where it was active."""
    return _switch(
        organization,
        to=Organization.Status.ACTIVE,
        action="organization.reactivated",
        changes={},
        fields={"suspended_at": None, "suspended_reason": ""},
        actor=actor,
        ip=ip,
    )


def _switch(
    organization: Organization,
    *,
    to: str,
    action: str,
    changes: dict[str, str],
    fields: dict[str, object],
    actor: User,
    ip: str,
) -> bool:
    with transaction.atomic():
        is_done = Organization.objects.filter(pk=organization.pk).exclude(status=to).update(status=to, **fields)
        if is_done:
            audit.record(organization, actor=actor, action=action, target=organization, changes=changes, ip=ip)
    organization.refresh_from_db()
    return bool(is_done)
