"""Celery's side of retention: both sweeps look for rows whose time has come."""

import structlog
from celery import shared_task

from messaging.contacts.bulk import forget_undone

from .kept import forget_due
from .removing import redact_due, remove_at_twilio

log = structlog.get_logger(__name__)


@shared_task(name="messaging.retention.redact")
def redact() -> None:
    """Remove what has served its time: texts, verifications, submissions, and what nobody can undo any more."""
    if removed := redact_due():
        log.info("texts_removed", count=removed)
    if deleted := forget_due():
        log.info("kept_things_deleted", count=deleted)
    forget_undone()


@shared_task(name="messaging.retention.remove_at_twilio")
def remove() -> None:
    """Have Twilio remove what is due."""
    remove_at_twilio()
