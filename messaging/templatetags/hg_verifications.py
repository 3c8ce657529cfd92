"""What pages show of verifications."""

from typing import Any

from django import template
from django.utils.translation import get_language_info

from messaging.verification.models import Verification

register = template.Library()

_TONES: dict[str, tuple[str, str]] = {
    Verification.Status.PENDING: ("blue", "pin"),
    Verification.Status.APPROVED: ("green", "check_circle"),
    Verification.Status.EXPIRED: ("grey", "timer_off"),
    Verification.Status.CANCELED: ("grey", "cancel"),
    Verification.Status.MAX_ATTEMPTS: ("amber", "warning"),
    Verification.Status.FAILED: ("red", "error"),
}


@register.inclusion_tag("components/pill.html")
def verification_pill(status: str) -> dict[str, Any]:
    """Show the state of a verification: a colour, an icon and a word."""
    tone, icon = _TONES.get(status, ("grey", "help"))
    label = Verification.Status(status).label if status in Verification.Status.values else status
    return {"pill": {"tone": tone, "icon": icon, "label": label}}


@register.filter
def language_word(code: str) -> str:
    """Return what a language is called, “German” for “de”; the code where nobody here has a word for it."""
    try:
        return str(get_language_info(code.lower())["name"])
    except KeyError:
        return code
