from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """What is said to whom."""

    name = "messaging"
    verbose_name = "Messaging"

    def ready(self) -> None:
        from integrations.connections.registry import register_consequences
        from integrations.organizations.audit_sentences import register_sentences
        from integrations.organizations.badges import register_badge
        from messaging.broadcasts import jobs as broadcast_jobs  # noqa: F401 - registers its kinds of work
        from messaging.broadcasts import lifecycle as broadcasts
        from messaging.consent import ledger, opt_outs
        from messaging.contacts import address_book
        from messaging.inbox import canned, conversing
        from messaging.inbox.shell import unread_badge
        from messaging.sending import resolving
        from messaging.sending.consequences import what_waits
        from messaging.templates import wording

        register_consequences(what_waits)
        register_badge("inbox:list", unread_badge)
        for room in (address_book, broadcasts, canned, conversing, ledger, opt_outs, resolving, wording):
            register_sentences(room.SENTENCES)
