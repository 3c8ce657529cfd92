from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """What is said to whom."""

    name = "messaging"
    verbose_name = "Messaging"

    def ready(self) -> None:
        from integrations.connections.registry import (
            on_connection_broken,
            on_connection_working,
            register_consequences,
        )
        from integrations.organizations.audit_sentences import register_sentences
        from integrations.organizations.badges import register_badge
        from integrations.organizations.registry import register_notices, register_settings_page
        from integrations.organizations.roles import Capability
        from messaging.alerts import selectors as alerts
        from messaging.alerts.watch import health_changed
        from messaging.automations import ready as automations
        from messaging.broadcasts import jobs as broadcast_jobs  # noqa: F401 - registers its kinds of work
        from messaging.broadcasts import lifecycle as broadcasts
        from messaging.broadcasts.consequences import what_pauses
        from messaging.consent import ledger, opt_outs
        from messaging.consent.ready import register_consent
        from messaging.contact_files import exporting, taking
        from messaging.contact_files import jobs as import_jobs  # noqa: F401 - registers its kinds of work
        from messaging.contacts import address_book
        from messaging.contacts.registrations import register_all
        from messaging.inbox import canned, conversing, ruling
        from messaging.inbox.shell import unread_badge
        from messaging.outgoing import keeping as outgoing
        from messaging.retention.kept import register_kept
        from messaging.sending import policy, resolving
        from messaging.sending.consequences import what_waits
        from messaging.templates import wording
        from messaging.verification import forgetting as verifications_forgotten
        from messaging.verification import limit_setting, pausing
        from messaging.verification import managing as verifying

        register_consequences(what_waits)
        register_consequences(what_pauses)
        register_settings_page(
            title="Sending limits",
            text="Messages a day, quiet hours, countries not sent to, and the speed of your senders.",
            route="messages:limits",
        )
        register_settings_page(
            title="Why this route",
            text="Type a number, and see which way a message to it goes, and what stops it.",
            route="routing:why",
            capability=Capability.SEND,
        )
        register_settings_page(
            title="Verification limits",
            text="How many codes may be asked for, the countries they go to, and prefixes that are paused.",
            route="verification_limits:settings",
        )
        on_connection_broken(health_changed)
        on_connection_working(health_changed)
        register_notices(alerts.notices)
        register_badge("alerts:list", alerts.badge)
        register_badge("inbox:list", unread_badge)
        register_settings_page(
            title="Keyword rules", text="What happens by itself when a text says certain words.", route="inbox:rules"
        )
        register_settings_page(title="Office hours", text="What is answered when nobody is there.", route="inbox:hours")
        register_settings_page(
            title="Outgoing webhooks",
            text="The secret that signs the calls which automations make to your services.",
            route="outgoing:secret",
            capability=Capability.MANAGE_KEYS,
        )
        for room in (
            address_book,
            broadcasts,
            canned,
            conversing,
            exporting,
            ledger,
            limit_setting,
            opt_outs,
            outgoing,
            pausing,
            policy,
            resolving,
            ruling,
            taking,
            verifications_forgotten,
            verifying,
            wording,
        ):
            register_sentences(room.SENTENCES)
        automations.register_room()
        register_kept(verifications_forgotten.KEPT)
        register_consent()
        register_all()
