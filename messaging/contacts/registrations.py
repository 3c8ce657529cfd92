"""What the address book hangs into other rooms, and what they hang into it: called once, when everything is loaded."""

from integrations.organizations.audit_sentences import register_sentences
from integrations.organizations.registry import register_settings_page
from messaging.broadcasts.erasing import forget_recipients, redact_recipients
from messaging.consent.erasing import forget_consent, forget_opt_outs
from messaging.consent.story import consent_of, opt_outs_of
from messaging.contact_files.erasing import forget_files
from messaging.inbound.erasing import forget_media, redact_media
from messaging.inbox.erasing import forget_conversations, redact_conversations
from messaging.receipts.erasing import forget_callbacks, redact_callbacks
from messaging.retention import setting as retention
from messaging.retention.removing import forget_at_twilio, register_copy
from messaging.sending.erasing import forget_messages
from messaging.sending.story import messages_of
from messaging.verification.erasing import forget_verifications
from messaging.verification.story import verifications_of

from . import bulk, defining, merging, saving
from .erasure import erasing
from .erasure.erasers import register_eraser
from .timeline import register_timeline_source


def register_all() -> None:
    """Register sentences, timeline sources, erasers and pages of settings."""
    for room in (bulk, defining, erasing, merging, retention, saving):
        register_sentences(room.SENTENCES)
    for kind, source in (
        ("messages", messages_of),
        ("opt-outs", opt_outs_of),
        ("consent", consent_of),
        ("verifications", verifications_of),
    ):
        register_timeline_source(kind, source)
    # What hangs on a message is asked for before the messages are emptied.
    for what, eraser in (
        ("messages that Twilio is told to delete", forget_at_twilio),
        ("callbacks", forget_callbacks),
        ("pictures and files", forget_media),
        ("rows of broadcasts", forget_recipients),
        ("conversations", forget_conversations),
        ("opt-outs that are kept without the number", forget_opt_outs),
        ("entries of consent that are kept without the number", forget_consent),
        ("uploaded files", forget_files),
        ("verifications that are kept without the number", forget_verifications),
        ("messages emptied", forget_messages),
    ):
        register_eraser(what, eraser)
    for copy in (redact_callbacks, redact_conversations, redact_media, redact_recipients):
        register_copy(copy)
    register_settings_page(
        title="Contact attributes",
        text="What you keep about contacts beside name and number: for templates, filters and imports.",
        route="contacts:attributes",
    )
    register_settings_page(
        title="Data retention",
        text="After how many days texts are removed, and verifications, submissions and runs of automations deleted.",
        route="retention:settings",
    )
