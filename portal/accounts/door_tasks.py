"""Celery's side of the door."""

import structlog
from celery import shared_task

from . import devices, sessions, visits

log = structlog.get_logger(__name__)


@shared_task(name="portal.accounts.forget_visits")
def forget_visits() -> None:
    """Forget visits that led nowhere, logins that ended long ago, and devices that nobody uses any more."""
    counts = {"visits": visits.forget_old(), "sessions": sessions.forget_old(), "devices": devices.forget_old()}
    if any(counts.values()):
        log.info("portal_visits_forgotten", **counts)
