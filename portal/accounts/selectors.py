"""Reads of portals."""

import uuid
from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from integrations.organizations.models import Organization
from portal.forms.definition import Definition, parse
from portal.forms.models import PublicForm

from .models import Portal, PortalLogin, PortalRole, PortalSession, PortalTerms, PortalUser


def find_portals(organization: Organization) -> QuerySet[Portal]:
    """Return the organization's portals by name, with `people`, how many are in, and `waiting`, how many want to be."""
    is_in = Count("users", filter=Q(users__status=PortalUser.Status.ACTIVE))
    waits = Count("users", filter=Q(users__status=PortalUser.Status.WAITING))
    return Portal.objects.filter(organization=organization).annotate(people=is_in, waiting=waits)


def waiting_badge(request: HttpRequest) -> str:
    """Return how many people wait for approval, for the sidebar; "" where nobody does."""
    waiting = PortalUser.objects.filter(
        portal__organization=request.organization,  # type: ignore[attr-defined]
        status=PortalUser.Status.WAITING,
    )[:100].count()
    return "99+" if waiting > 99 else str(waiting) if waiting else ""


def questions_of(portal: Portal) -> Definition:
    """Return the questions of the portal as they are published, all of them; none where nothing was published."""
    version = portal.form.current
    return parse(version.definition, knows_number=True) if version is not None else Definition(knows_number=True)


def find_portal(organization: Organization, portal_id: uuid.UUID) -> Portal | None:
    """Return the organization's portal of that id; None for another one's."""
    return (
        Portal.objects.filter(organization=organization, pk=portal_id)
        .select_related("organization", "form__current", "terms")
        .first()
    )


def people_by_status(portal: Portal) -> dict[str, int]:
    """Return how many people of the portal stand in each status, statuses without any included."""
    counts = dict(portal.users.values_list("status").annotate(count=Count("pk")))
    return {status: counts.get(status, 0) for status in PortalUser.Status.values}


def roles_of(portal: Portal) -> QuerySet[PortalRole]:
    """Return the portal's roles with `people`, how many have each."""
    return portal.roles.annotate(people=Count("users")).order_by("name")


def terms_of(portal: Portal) -> list[tuple[PortalTerms, int]]:
    """Return every version of the terms, the newest first, and by how many people it was accepted last."""
    accepted = dict(portal.users.exclude(terms=None).values_list("terms").annotate(count=Count("pk")))
    versions = portal.all_terms.select_related("created_by").order_by("-number")
    return [(terms, accepted.get(terms.pk, 0)) for terms in versions]


def names_of(organization: Organization, portal_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what the organization's portals are called: the conversion page tells them apart by that."""
    return dict(Portal.objects.filter(organization=organization, pk__in=portal_ids).values_list("pk", "name"))


def find_portal_of_form(organization: Organization, form: PublicForm) -> Portal | None:
    """Return the organization's portal that asks by this form."""
    found = Portal.objects.filter(organization=organization, form=form)
    return found.select_related("organization", "form__current", "terms").first()


def open_sessions_of(user: PortalUser) -> list[PortalSession]:
    """Return the logins of a person that go on, the latest first, each with its device."""
    rows = PortalSession.objects.filter(user=user, ended_at=None, expires_at__gt=Now())
    return list(rows.select_related("device").order_by("-seen_at"))


def find_login(user: PortalUser, session_id: uuid.UUID) -> PortalSession | None:
    """Return a login of this person that goes on."""
    return PortalSession.objects.filter(user=user, pk=session_id, ended_at=None).first()


def logins_of(user: PortalUser, *, most: int) -> list[PortalLogin]:
    """Return the latest lines of a person's history of logins, since they registered: before, it was an account that
    has ended, and maybe somebody else's number."""
    return list(
        PortalLogin.objects.filter(user=user, at__gte=user.registered_at or user.created_at).order_by("-id")[:most]
    )
