"""The admin of members: Unfold's, with our own site behind it."""

from django.contrib.admin.apps import AdminConfig


class MemberAdminConfig(AdminConfig):
    """Register the admin with the site that knows organizations."""

    default_site = "integrations.organizations.admin_site.MemberAdminSite"
