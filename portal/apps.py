from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Whom the outside world meets: public forms and external portals."""

    name = "portal"
    verbose_name = "Portal"
