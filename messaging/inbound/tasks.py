"""Celery's side of what arrives."""

import structlog
from celery import shared_task

from .media import fetch_due

log = structlog.get_logger(__name__)


@shared_task(name="messaging.inbound.fetch_media")
def fetch_media() -> None:
    """Fetch the pictures and files that wait."""
    while fetch_due():
        pass
