"""Every address. Those of an organization are mounted below `/o/{slug}/` by the organization middleware."""

from django.contrib import admin
from django.urls import include, path

from config import health
from messaging.api.routes import api
from messaging.consent.public_views import unsubscribe
from messaging.dashboard.views import home

urlpatterns = [
    # First, because they are asked for most.
    path("api/v1/", api.urls),
    path("hooks/twilio/", include("messaging.hooks")),
    path("hooks/automations/", include("messaging.automations.hook_urls")),
    path("", home, name="home"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("integrations.organizations.urls")),
    path("operator/platform-sms/unsettled/", include("messaging.sending.platform_urls")),
    path("operator/platform-sms/", include("integrations.platform_sms.urls")),
    path("integration/", include("integrations.connections.urls")),
    path("sandbox/", include("integrations.sandbox.urls")),
    path("jobs/", include("messaging.jobs.urls")),
    path("automations/", include("messaging.automations.urls")),
    path("broadcasts/", include("messaging.broadcasts.urls")),
    path("alerts/", include("messaging.alerts.urls")),
    path("messages/", include("messaging.sending.urls")),
    path("routing/", include("messaging.routing.urls")),
    path("credits/", include("messaging.credits.urls")),
    path("inbox/", include("messaging.inbox.urls")),
    path("contacts/", include("messaging.contact_files.urls")),
    path("contacts/", include("messaging.contacts.urls")),
    path("settings/retention/", include("messaging.retention.urls")),
    path("settings/outgoing/", include("messaging.outgoing.urls")),
    path("settings/verification-limits/", include("messaging.verification.limit_urls")),
    path("templates/", include("messaging.templates.urls")),
    path("forms/", include("portal.forms.urls")),
    path("portals/", include("portal.accounts.urls")),
    path("portals/form/", include("portal.accounts.form_urls", namespace="portal_forms")),
    path("opt-outs/", include("messaging.consent.urls")),
    path("consent/", include("messaging.consent.ledger_urls")),
    path("verifications/", include("messaging.verification.urls")),
    path("", include("portal.forms.public.urls")),
    path("p/<slug:slug>/", include("portal.accounts.public.urls")),
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
]

handler404 = "django.views.defaults.page_not_found"
