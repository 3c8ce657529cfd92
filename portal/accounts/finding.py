"""Looking for people of a portal and for invitations: what is wanted, and a page at a time by key."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from integrations.organizations.long_lists import Page, StoredFilter, page_of
from portal.forms.filters import searched

from .models import Portal, PortalInvitation, PortalNotification, PortalSending, PortalUser


@dataclass(frozen=True, kw_only=True)
class PersonFilter(StoredFilter):
    """Which people are meant; every part may be empty, and all that are not must fit. `role` is an id, or none."""

    query: str = ""
    status: str = ""
    role: str = ""
    country: str = ""


def people_of(portal: Portal, wanted: PersonFilter) -> QuerySet[PortalUser]:
    """Return the people that fit, in no order. Erased ones have no number and are counted nowhere else but here."""
    rows = PortalUser.objects.filter(portal=portal).exclude(phone="")
    if wanted.status in PortalUser.Status.values:
        rows = rows.filter(status=wanted.status)
    if wanted.role == "none":
        rows = rows.filter(role=None)
    elif wanted.role.isdecimal() and len(wanted.role) < 19:
        rows = rows.filter(role=int(wanted.role))
    if wanted.country:
        rows = rows.filter(region=wanted.country[:3])
    if not wanted.query.strip():
        return rows
    return rows.filter(searched(portal.organization, wanted.query, has_word=_in_name_or_answers))


def page_of_people(portal: Portal, wanted: PersonFilter, *, after: object = None) -> Page[PortalUser]:
    """Return one page of the people that fit: the newest, or those older than `after`."""
    return page_of(people_of(portal, wanted).select_related("role", "submission__version"), after=after)


def page_of_waiting(portal: Portal, *, after: object = None) -> Page[PortalUser]:
    """Return one page of those who wait for approval, who came first first."""
    rows = people_of(portal, PersonFilter(status=PortalUser.Status.WAITING))
    return page_of(rows.select_related("role", "submission__version"), after=after, is_oldest_first=True)


def page_of_invitations(portal: Portal, *, state: str = "", after: object = None) -> Page[PortalInvitation]:
    """Return one page of the invitations: `open`, `used`, `revoked`, `expired` ones, or all."""
    rows = PortalInvitation.objects.filter(portal=portal)
    if state in STATES:
        rows = rows.filter(STATES[state])
    return page_of(rows.select_related("user", "created_by"), after=after)


def page_of_notifications(portal: Portal, *, after: object = None) -> Page[PortalNotification]:
    """Return one page of what was written to the people."""
    rows = PortalNotification.objects.filter(portal=portal)
    return page_of(rows.select_related("role", "user", "created_by", "job"), after=after)


def find_person(portal: Portal, pk: uuid.UUID) -> PortalUser | None:
    """Return somebody of the portal; None for somebody of another one."""
    return (
        PortalUser.objects.filter(portal=portal, pk=pk)
        .select_related(
            "portal__organization", "portal__form", "role", "contact", "terms", "decided_by", "submission__version"
        )
        .first()
    )


def find_invitation(portal: Portal, pk: uuid.UUID) -> PortalInvitation | None:
    """Return an invitation to the portal; None for one to another."""
    rows = PortalInvitation.objects.select_related("portal__organization", "portal__form", "user")
    return rows.filter(portal=portal, pk=pk).first()


def find_notification(portal: Portal, pk: uuid.UUID) -> PortalNotification | None:
    """Return what was written to the people of the portal; None for what was to another one's."""
    rows = PortalNotification.objects.select_related("portal", "role", "user", "created_by", "job")
    return rows.filter(portal=portal, pk=pk).first()


def find_sending(portal: Portal, pk: int) -> PortalSending | None:
    """Return an SMS of the portal."""
    return PortalSending.objects.filter(portal=portal, pk=pk).select_related("user", "message").first()


def latest_invitations(users: Sequence[PortalUser]) -> dict[uuid.UUID, PortalInvitation]:
    """Return the newest invitation of each of these people, who are a page of a list."""
    newest = PortalInvitation.objects.filter(user__in=users).order_by("user", "-pk").distinct("user")
    return {invitation.user_id: invitation for invitation in newest}


def countries_of(portal: Portal) -> list[str]:
    """Return the regions that the portal's people are of."""
    rows = PortalUser.objects.filter(portal=portal).exclude(region="").order_by("region")
    return list(rows.values_list("region", flat=True).distinct())


_open = Q(used_at=None, revoked_at=None)
STATES: dict[str, Q] = {
    "open": _open & Q(expires_at__gt=Now()),
    "used": Q(used_at__isnull=False),
    # As invitations.state_of: one that ended before it was replaced or taken back has expired.
    "expired": _open & Q(expires_at__lte=Now()) | Q(used_at=None, revoked_at__gte=F("expires_at")),
    "revoked": Q(used_at=None, revoked_at__lt=F("expires_at")),
}


def _in_name_or_answers(word: str) -> Q:
    return Q(name__icontains=word) | Q(submission__search_text__contains=word.casefold())
