"""Portals in the timeline of a contact: invited, registered, decided about."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.contacts.timeline import Entry

from .models import PortalInvitation, PortalUser

_DECIDED = {
    PortalUser.Status.ACTIVE: ("how_to_reg", "Let into"),
    PortalUser.Status.REJECTED: ("person_off", "Rejected for"),
    PortalUser.Status.SUSPENDED: ("block", "Suspended in"),
    PortalUser.Status.LEFT: ("logout", "Taken out of"),
}


def portals_of(organization: Organization, contact: Contact, before: datetime | None, limit: int) -> Iterable[Entry]:
    """Return what happened with the contact in the organization's portals."""
    users = list(
        PortalUser.objects.filter(portal__organization=organization, phone=contact.phone).select_related("portal")
    )
    entries = [entry for user in users for entry in _entries_of(user)]
    entries += [
        Entry(
            at=invitation.created_at,
            key=f"portal_invitation:{invitation.pk}",
            icon="mail",
            text=f"Invited to the portal “{invitation.portal.name}”",
            link=_link(invitation.portal_id, invitation.user_id),
        )
        for invitation in PortalInvitation.objects.filter(user__in=users).select_related("portal")
    ]
    found = [entry for entry in entries if before is None or entry.at <= before]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:limit]


def _entries_of(user: PortalUser) -> Iterable[Entry]:
    link = _link(user.portal_id, user.pk)
    if user.registered_at is not None:
        yield Entry(
            at=user.registered_at,
            key=f"portal_registered:{user.pk}",
            icon="badge",
            text=f"Registered in the portal “{user.portal.name}”",
            link=link,
        )
    if user.decided_at is not None and user.status in _DECIDED:
        icon, words = _DECIDED[PortalUser.Status(user.status)]
        yield Entry(
            at=user.decided_at,
            key=f"portal_decided:{user.pk}",
            icon=icon,
            text=f"{words} the portal “{user.portal.name}”",
            link=link,
        )


def _link(portal_pk: object, user_pk: object) -> str:
    return reverse("portals:person", args=[portal_pk, user_pk])
