"""Celery's side of broadcasts: one short task, every second and whenever one starts."""

from celery import shared_task

from .feeder import feed_all


@shared_task(name="messaging.broadcasts.feed")
def feed() -> None:
    """Feed what runs, pause what cannot, settle what was left behind."""
    feed_all()
