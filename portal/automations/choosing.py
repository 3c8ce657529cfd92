"""What forms of triggers and steps offer of the portal wing, and the reading of what was chosen."""

import uuid

from integrations.organizations.models import Organization, as_uuid
from messaging.automations.base import NodeFailed, Scope, Settings, Step
from portal.accounts.models import Portal, PortalRole
from portal.accounts.selectors import find_portal

PORTAL_GONE = "This portal was deleted. Choose another one."
ROLE_GONE = "The portal has no such role any more. Choose another one."
ROLE_ELSEWHERE = "This is a role of another portal. Choose one of this portal."


def portals(scope: Scope) -> list[tuple[str, str]]:
    """Return the organization's portals."""
    rows = Portal.objects.filter(organization=scope.organization)
    return scope.once("portals", lambda: [(str(one.pk), one.name) for one in rows])


def roles(scope: Scope) -> list[tuple[str, str]]:
    """Return the roles of all portals, with the portal's name before each."""
    rows = PortalRole.objects.filter(portal__organization=scope.organization).select_related("portal")
    rows = rows.order_by("portal__name", "name")
    return scope.once("roles", lambda: [(str(role.pk), f"{role.portal.name}: {role.name}") for role in rows])


def portal_chosen(organization: Organization, portal_id: object) -> Portal | None:
    """Return the organization's portal that was chosen."""
    key: uuid.UUID | None = as_uuid(portal_id)
    return find_portal(organization, key) if key else None


def role_chosen(portal: Portal, role_id: object) -> PortalRole | None:
    """Return the portal's role that was chosen, None where none was or it is not the portal's."""
    role = str(role_id or "")
    return portal.roles.filter(pk=int(role)).first() if role.isdecimal() and len(role) < 19 else None


def is_role_elsewhere(scope: Scope, settings: Settings, *, portal: str = "portal", role: str = "role") -> bool:
    """Tell whether a role was chosen that is none of the chosen portal's; the settings have these names."""
    chosen = portal_chosen(scope.organization, settings.get(portal))
    return chosen is not None and bool(settings.get(role)) and role_chosen(chosen, settings[role]) is None


def need_portal(step: Step, *, setting: str = "portal") -> Portal:
    """Return the step's portal; raise NodeFailed where it is gone."""
    portal = portal_chosen(step.organization, step.settings.get(setting))
    if portal is None:
        raise NodeFailed("portal_gone", f"{PORTAL_GONE} Then publish.")
    return portal


def need_role(step: Step, portal: Portal, *, setting: str = "role") -> PortalRole | None:
    """Return the step's role, None where none is chosen; raise NodeFailed where it is gone."""
    role = role_chosen(portal, step.settings.get(setting))
    if role is None and step.settings.get(setting):
        raise NodeFailed("role_gone", f"{ROLE_GONE} Then publish.")
    return role
