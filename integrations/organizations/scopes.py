"""What an API key may be allowed to do: one line for each scope, read by pages, commands and the API."""

from collections.abc import Iterable

from .models import ApiKey

MESSAGES_READ = "messages:read"
MESSAGES_WRITE = "messages:write"
BROADCASTS_READ = "broadcasts:read"
BROADCASTS_WRITE = "broadcasts:write"
CONTACTS_READ = "contacts:read"
CONTACTS_WRITE = "contacts:write"
TEMPLATES_READ = "templates:read"
TEMPLATES_WRITE = "templates:write"
OPT_OUTS_READ = "opt_outs:read"
OPT_OUTS_WRITE = "opt_outs:write"
CONSENTS_READ = "consents:read"
CONSENTS_WRITE = "consents:write"
VERIFICATIONS_READ = "verifications:read"
VERIFICATIONS_WRITE = "verifications:write"
AUTOMATIONS_READ = "automations:read"
AUTOMATIONS_WRITE = "automations:write"
EVENTS_WRITE = "events:write"
PORTALS_READ = "portals:read"
PORTALS_WRITE = "portals:write"

SCOPES: dict[str, str] = {
    MESSAGES_READ: "See messages, their text and what became of them.",
    MESSAGES_WRITE: "Send messages, which costs money, and cancel them.",
    BROADCASTS_READ: "See broadcasts, how far they are and what came of them.",
    BROADCASTS_WRITE: "Send to many people at once, which costs money; pause and cancel it.",
    CONTACTS_READ: "See contacts and their phone numbers.",
    CONTACTS_WRITE: "Add, change and delete contacts.",
    TEMPLATES_READ: "See templates.",
    TEMPLATES_WRITE: "Add and change templates.",
    OPT_OUTS_READ: "See who opted out.",
    OPT_OUTS_WRITE: "Record opt-outs and take them back.",
    CONSENTS_READ: "See who agreed to what, with the proof.",
    CONSENTS_WRITE: "Record consent and its withdrawal.",
    VERIFICATIONS_READ: "See verifications of phone numbers and what became of them.",
    VERIFICATIONS_WRITE: "Send verification codes, which costs money, check and cancel them.",
    AUTOMATIONS_READ: "See automations, their runs and what set them off.",
    AUTOMATIONS_WRITE: "Try failed runs again, which may send messages and cost money, and stop runs.",
    EVENTS_WRITE: "Report events that set automations off.",
    PORTALS_READ: "See the people of portals, their numbers and invitations.",
    PORTALS_WRITE: "Invite people to portals by SMS, which costs money, and take invitations back.",
}
# Spelt out in each key rather than stored as a wildcard: a scope that comes later is not granted to older keys.
EVERYTHING: tuple[str, ...] = tuple(SCOPES)


def key_allows(key: ApiKey, scope: str) -> bool:
    """Tell whether the key carries the scope."""
    return scope in key.scopes


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Return those of the scopes that do not exist, in the order given."""
    return [scope for scope in scopes if scope not in SCOPES]
