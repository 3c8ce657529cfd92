"""The wing's admin, one room after the other; what other packages brought along is left to their own pages."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group

import integrations.connections.admin
import integrations.organizations.admin
import integrations.platform_sms.admin  # noqa: F401

for brought_along in (EmailAddress, Authenticator, Group):
    if admin.site.is_registered(brought_along):
        admin.site.unregister(brought_along)
