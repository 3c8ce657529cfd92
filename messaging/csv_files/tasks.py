"""Celery's side of the room."""

import structlog
from celery import shared_task

from .storing import forget_old_uploads

log = structlog.get_logger(__name__)


@shared_task(name="messaging.csv_files.forget")
def forget() -> None:
    """Forget uploads that have served their time."""
    if count := forget_old_uploads():
        log.info("uploads_forgotten", count=count)
