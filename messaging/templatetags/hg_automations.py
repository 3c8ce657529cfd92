"""What pages show of automations and their runs: states as pills, and reasons in few words."""

from typing import Any

from django import template

from messaging.automations.models import Automation, Run, RunStep
from messaging.automations.run_reasons import title_of

register = template.Library()
register.filter("run_reason", title_of)
_AUTOMATION: dict[str, tuple[str, str]] = {
    Automation.Status.DRAFT: ("grey", "edit_note"),
    Automation.Status.LIVE: ("green", "bolt"),
    Automation.Status.PAUSED: ("amber", "pause_circle"),
    Automation.Status.ARCHIVED: ("grey", "inventory_2"),
}
_RUN: dict[str, tuple[str, str]] = {
    Run.Status.WAITING: ("grey", "hourglass_empty"),
    Run.Status.RUNNING: ("blue", "play_circle"),
    Run.Status.DONE: ("green", "check_circle"),
    Run.Status.FAILED: ("red", "error"),
    Run.Status.STOPPED: ("grey", "cancel"),
    Run.Status.SKIPPED: ("amber", "block"),
}
_STEP: dict[str, tuple[str, str]] = {
    RunStep.Status.WAITING: ("grey", "hourglass_empty"),
    RunStep.Status.ACTING: ("blue", "play_circle"),
    RunStep.Status.DONE: ("green", "check_circle"),
    RunStep.Status.FAILED: ("red", "error"),
}


@register.inclusion_tag("components/pill.html")
def automation_pill(status: str) -> dict[str, Any]:
    """Show the state of an automation: a colour, an icon and a word."""
    return _pill(_AUTOMATION, status, dict(Automation.Status.choices))


@register.inclusion_tag("components/pill.html")
def run_pill(status: str) -> dict[str, Any]:
    """Show the state of a run."""
    return _pill(_RUN, status, dict(Run.Status.choices))


@register.inclusion_tag("components/pill.html")
def step_pill(status: str) -> dict[str, Any]:
    """Show the state of a step."""
    return _pill(_STEP, status, dict(RunStep.Status.choices))


def _pill(tones: dict[str, tuple[str, str]], status: str, labels: dict[str, str]) -> dict[str, Any]:
    tone, icon = tones.get(status, ("grey", "help"))
    return {"pill": {"tone": tone, "icon": icon, "label": labels.get(status, status)}}
