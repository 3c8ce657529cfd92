"""What every page of messaging shows alike: numbers, times and the state of a message."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.phones import flag_emoji, pretty, region_name
from integrations.platform_sms.ledger import shown
from integrations.templatetags import hg_base
from messaging.contacts.erasure.number_keys import is_key
from messaging.sending.statuses import Status

register = template.Library()
register.simple_tag(hg_base.when, name="when")
register.filter("credits", shown)

_TONES: dict[str, tuple[str, str]] = {
    Status.SCHEDULED: ("grey", "schedule"),
    Status.QUEUED: ("grey", "hourglass_empty"),
    Status.SENDING: ("blue", "outbound"),
    Status.ACCEPTED: ("blue", "cell_tower"),
    Status.SENT: ("blue", "send"),
    Status.UNKNOWN: ("violet", "help"),
    Status.DELIVERED: ("green", "check_circle"),
    Status.READ: ("green", "done_all"),
    Status.UNDELIVERED: ("amber", "warning"),
    Status.FAILED: ("red", "error"),
    Status.BLOCKED: ("red", "block"),
    Status.CANCELED: ("grey", "cancel"),
    Status.RECEIVED: ("blue", "call_received"),
}


@register.simple_tag
def phone(value: str) -> SafeString:
    """Show a stored number as all pages do; of somebody who was erased, only that."""
    if is_key(value):
        return format_html('<span class="hg-soft">{}</span>', "erased")
    return hg_base.phone(value)


@register.inclusion_tag("components/pill.html")
def status_pill(status: str) -> dict[str, Any]:
    """Show the state of a message: a colour, an icon and a word, the same on every page."""
    tone, icon = _TONES.get(status, ("grey", "help"))
    label = Status(status).label if status in Status.values else status
    return {"pill": {"tone": tone, "icon": icon, "label": label}}


@register.filter
def duration(span: timedelta) -> str:
    """Write a span of time as people say it: 40 seconds, 3 minutes, 2 hours."""
    seconds = max(0, round(span.total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            count = round(seconds / size)
            return f"{count:,} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"


register.filter("pretty_phone", pretty)
register.filter("region_name", region_name)
register.filter("flag", flag_emoji)
