from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Who we are, and whom we talk to."""

    name = "integrations"
    verbose_name = "Organization"

    def ready(self) -> None:
        from integrations.connections.audit_words import SENTENCES
        from integrations.organizations.audit_sentences import register_sentences
        from integrations.platform_sms import ledger, operating, policies

        register_sentences(SENTENCES)
        register_sentences(ledger.SENTENCES)
        register_sentences(operating.SENTENCES)
        register_sentences(policies.SENTENCES)
        register_sentences({"sandbox.dials_changed": "turned the dials of {which}"})
