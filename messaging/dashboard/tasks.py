"""Celery's side of the dashboard."""

from celery import shared_task

from . import counting


@shared_task(name="messaging.dashboard.follow_log")
def follow_log() -> None:
    """Bring the counts up to now."""
    counting.follow_log()


@shared_task(name="messaging.dashboard.count_anew")
def count_anew() -> None:
    """Count everything that is shown anew."""
    counting.count_all_anew()
