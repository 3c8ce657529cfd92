"""Call a worker to carry runs on. A lost call costs a second: the sweep looks by itself."""

from messaging.happenings.wake import call

QUICK, OUTSIDE = "messaging.automations.carry_on", "messaging.automations.act"


def call_quick() -> None:
    """Have what is due done; call it after the commit."""
    call(QUICK)


def call_outside() -> None:
    """Have done what waits for somebody outside; call it after the commit."""
    call(OUTSIDE)
