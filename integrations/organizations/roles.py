"""What each role of a member may do: the one table that pages, the admin and tests read."""

from django.db import models


class Role(models.TextChoices):
    """Roles of a member, strongest first."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    AGENT = "agent", "Agent"
    VIEWER = "viewer", "Viewer"


class Capability(models.TextChoices):
    """What a page or a button asks for."""

    VIEW = "view", "see messages, contacts and templates"
    SEND = "send", "send messages"
    EDIT_CONTACTS = "edit_contacts", "change contacts and opt-outs"
    EDIT_TEMPLATES = "edit_templates", "change templates"
    VIEW_SUBMISSIONS = "view_submissions", "read what people sent by public forms"
    PORTAL_PEOPLE = "portal_people", "invite, approve and write to portal users"
    EDIT_PORTALS = "edit_portals", "set up portals"
    EDIT_FORMS = "edit_forms", "build and publish public forms"
    EDIT_AUTOMATIONS = "edit_automations", "build and publish automations"
    MANAGE_CONNECTIONS = "manage_connections", "connect Twilio"
    MANAGE_MEMBERS = "manage_members", "invite and change members"
    MANAGE_KEYS = "manage_keys", "make and revoke API keys"
    MANAGE_ORGANIZATION = "manage_organization", "change the organization"
    VIEW_AUDIT = "view_audit", "read the audit log"


_VIEWER = frozenset({Capability.VIEW})
_AGENT = _VIEWER | {
    Capability.SEND,
    Capability.EDIT_CONTACTS,
    Capability.EDIT_TEMPLATES,
    Capability.VIEW_SUBMISSIONS,
    Capability.PORTAL_PEOPLE,
}
_ALL = frozenset(Capability)

CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.OWNER: _ALL,
    Role.ADMIN: _ALL,
    Role.AGENT: _AGENT,
    Role.VIEWER: _VIEWER,
}
ROLE_HELP: dict[str, str] = {
    Role.OWNER: "Everything, and alone may make or remove owners.",
    Role.ADMIN: "Everything but owners: Twilio connections, automations, forms, portals, members, API keys, audit log.",
    Role.AGENT: "Sends messages; changes contacts and templates; reads forms; looks after portal users.",
    Role.VIEWER: "Looks, changes nothing.",
}


def role_can(role: str, capability: Capability) -> bool:
    """Tell whether a role carries a capability; an unknown role carries none."""
    return capability in CAPABILITIES.get(role, frozenset())
