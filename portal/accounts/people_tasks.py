"""Celery's side of looking after people and what they do inside: reminders, and forgetting rows that have served."""

import structlog
from celery import shared_task

from .handing_over import forget_old_handovers
from .inviting_many import forget_rows
from .reminding import send_reminders

log = structlog.get_logger(__name__)


@shared_task(name="portal.accounts.remind")
def remind() -> None:
    """Remind people of invitations that they have not answered."""
    if count := send_reminders():
        log.info("invitations_reminded", count=count)


@shared_task(name="portal.accounts.forget_rows")
def forget() -> None:
    """Forget the rows of many invitations that are done with, and ways into forms that led to nothing."""
    if count := forget_rows():
        log.info("invitation_rows_forgotten", count=count)
    if count := forget_old_handovers():
        log.info("handovers_forgotten", count=count)
