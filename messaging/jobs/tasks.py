"""Celery's side of long work: one task that does a turn, one that finds what nobody works on."""

import uuid

from celery import shared_task

from . import work
from .wake import wake


@shared_task(name="messaging.jobs.run")
def run(job_id: str) -> None:
    """Work on a job for a while."""
    work.run(uuid.UUID(job_id))


@shared_task(name="messaging.jobs.sweep")
def sweep() -> None:
    """Call the clerk to jobs that nobody works on."""
    for job_id in work.unattended():
        if not wake(job_id):
            return
