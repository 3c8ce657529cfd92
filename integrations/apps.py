from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Who we are, and whom we talk to."""

    name = "integrations"
    verbose_name = "Organization"
