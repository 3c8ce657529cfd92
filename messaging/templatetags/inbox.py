"""Texts of strangers on pages."""

from django import template

from messaging.inbound.media import REASONS, SHOWN
from messaging.inbound.models import MessageMedia
from messaging.inbox.display import readable

register = template.Library()
register.filter("readable", readable)


@register.filter
def is_shown(file: MessageMedia) -> bool:
    """Tell whether a file is a picture that a page may show."""
    return file.is_picture and file.content_type in SHOWN


@register.filter
def media_reason(word: str) -> str:
    """Say why a file is not here."""
    return REASONS.get(word, "")
