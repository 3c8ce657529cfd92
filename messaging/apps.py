from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """What is said to whom."""

    name = "messaging"
    verbose_name = "Messaging"
