"""Celery's side of the room."""

import structlog
from celery import shared_task

from .drafting import forget_old_drafts
from .exporting import forget_old_exports

log = structlog.get_logger(__name__)


@shared_task(name="portal.forms.forget")
def forget() -> None:
    """Forget what visitors began and never sent, and tables that have served their time."""
    drafts, exports = forget_old_drafts(), forget_old_exports()
    if drafts or exports:
        log.info("forms_forgotten", drafts=drafts, exports=exports)
