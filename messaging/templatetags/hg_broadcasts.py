"""What pages show of broadcasts: their state, and amounts of money."""

from decimal import Decimal
from typing import Any

from django import template

from messaging.broadcasts.models import Broadcast

register = template.Library()
_Status = Broadcast.Status
_TONES: dict[str, tuple[str, str]] = {
    _Status.DRAFT: ("grey", "edit_note"),
    _Status.CHECKING: ("blue", "rule"),
    _Status.READY: ("grey", "task_alt"),
    _Status.RUNNING: ("blue", "send"),
    _Status.PAUSED: ("amber", "pause_circle"),
    _Status.DONE: ("green", "check_circle"),
    _Status.CANCELED: ("grey", "cancel"),
}


@register.inclusion_tag("components/pill.html")
def broadcast_pill(status: str) -> dict[str, Any]:
    """Show the state of a broadcast: a colour, an icon and a word."""
    tone, icon = _TONES.get(status, ("grey", "help"))
    label = _Status(status).label if status in _Status.values else status
    return {"pill": {"tone": tone, "icon": icon, "label": label}}


@register.filter
def amount(value: Decimal | str | None) -> str:
    """Write an amount of money: parts of a cent below one, grouped where it is large."""
    if value is None or value == "":
        return "—"
    number = Decimal(value)
    return f"{number:,.2f}" if number >= 1 or number == 0 else f"{number:.4f}"
