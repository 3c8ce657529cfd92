"""Texts that nobody may read in the log: a verification code is for its recipient alone.

The row's `body` has dots in the code's place from the beginning, so that no page, file or program can show it. The real
text stands beside it encrypted, for as long as it may still have to be sent.
"""

import structlog
from django.db import connection

from integrations.encryption import Secret, SecretUnreadable

from .models import Message

log = structlog.get_logger(__name__)
DOTS = "••••••"

# What has been handed over is needed until its outcome is known; what is no longer valid is never sent again.
_FORGET = """
UPDATE messaging_message SET sealed_text = ''
WHERE sealed_text <> '' AND (finished_at IS NOT NULL OR valid_until < now() - interval '15 minutes')
"""


def mask(text: str, *, secret: str) -> str:
    """Return the text with dots in the secret's place; whatever it says, the secret itself does not stay."""
    return text.replace(secret, DOTS)


def seal(text: str) -> str:
    """Return the text encrypted, as it is kept."""
    return Secret.of(text).token


def open_sealed(sealed: str, *, body: str) -> str | None:
    """Return the text that goes out: the sealed one where there is one, else the body; None where no key fits."""
    if not sealed:
        return body
    try:
        return Secret(sealed).reveal()
    except SecretUnreadable:
        log.error("sealed_text_unreadable")
        return None


def text_of(message: Message) -> str:
    """Return what was really handed over, to be compared with Twilio's log; the masked text where it is gone."""
    return open_sealed(message.sealed_text, body=message.body) or message.body


def forget_sealed() -> int:
    """Empty the sealed texts that have served; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
        return cursor.rowcount
