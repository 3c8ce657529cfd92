"""Tell the clerk that there is work. A lost call costs seconds: the sweep finds the row."""

import uuid

from config.calling import call
from config.celery import JOBS


def wake(job_id: uuid.UUID) -> bool:
    """Ask for work on a job; return whether the call left. Never raises and never takes long."""
    return call("messaging.jobs.run", str(job_id), queue=JOBS)
