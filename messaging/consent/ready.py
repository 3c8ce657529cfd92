"""What the room of consent hangs into others when the wing is ready."""

from integrations.organizations.registry import register_settings_page

from .contact_conditions import register_conditions


def register_consent() -> None:
    """Offer the settings page and the conditions by which contacts are chosen."""
    register_conditions()
    register_settings_page(
        title="Consent and opt-outs",
        text="How far a STOP reaches, which words count, what is answered, and confirmation by SMS.",
        route="consents:policy",
    )
