from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """What is said to whom."""

    name = "messaging"
    verbose_name = "Messaging"

    def ready(self) -> None:
        from integrations.connections.registry import register_consequences
        from messaging.sending.consequences import what_waits

        register_consequences(what_waits)
