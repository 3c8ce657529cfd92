"""The wing's models, one room after the other."""

from integrations.connections.models import Connection, RefusedWebhook
from integrations.organizations.models import ApiKey, AuditEntry, Invitation, Member, Organization, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Connection",
    "Invitation",
    "Member",
    "Organization",
    "RefusedWebhook",
    "User",
]
