"""The wing's models, one room after the other."""

from integrations.connections.models import Connection, RefusedWebhook, ReplyAddress
from integrations.organizations.models import ApiKey, AuditEntry, Invitation, Member, Organization, User
from integrations.platform_sms.models import CreditAccount, CreditEntry, PlatformDestination, PlatformPolicy

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Connection",
    "CreditAccount",
    "CreditEntry",
    "Invitation",
    "Member",
    "Organization",
    "PlatformDestination",
    "PlatformPolicy",
    "RefusedWebhook",
    "ReplyAddress",
    "User",
]
