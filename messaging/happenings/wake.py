"""Call a worker that hears of what happened. A lost call costs a second: the sweep looks by itself."""

from config import calling
from config.celery import CHORES

HEAR = "messaging.automations.hear"


def call(task: str) -> bool:
    """Have a task run soon; while one waits to begin, no other is called. Never raises and never takes long."""
    return calling.call_once(_mark(task), task, queue=CHORES, expires=30)


def begin(task: str) -> None:
    """Say that a called task begins, before it looks: whatever happens from now on calls again."""
    calling.begin(_mark(task))


def wake() -> bool:
    """Have what just happened heard of; call it after the commit."""
    return call(HEAR)


def _mark(task: str) -> str:
    return f"heliograph:called:{task}"
