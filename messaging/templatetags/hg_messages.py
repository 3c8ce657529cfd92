"""Words for codes and reasons of messages."""

from django import template

from integrations.twilio.error_table import explain
from messaging.sending.reasons import own_reason

register = template.Library()


@register.filter
def error_title(code: int) -> str:
    """Return the title of a Twilio error code."""
    return explain(code).title


@register.filter
def reason_title(word: str) -> str:
    """Return the title of one of our own reasons; a note in words stays as it is."""
    return own_reason(word).title if " " not in word else word
