"""The room's long work."""

from integrations.organizations.roles import Capability
from messaging.jobs.models import Job
from messaging.jobs.registry import register_job

from .checking import check_slice
from .journey import CHECK, TAKE
from .taking import import_slice


@register_job(CHECK, title="Checking every row", capability=Capability.EDIT_CONTACTS)
def check(job: Job, until: float) -> bool:
    """Check some rows."""
    return check_slice(job, until)


@register_job(TAKE, title="Importing", capability=Capability.EDIT_CONTACTS)
def take(job: Job, until: float) -> bool:
    """Import some rows."""
    return import_slice(job, until)
