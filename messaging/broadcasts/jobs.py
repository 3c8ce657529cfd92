"""The long work of this room."""

from integrations.organizations.roles import Capability
from messaging.jobs.registry import register_job

from .checking import step
from .lifecycle import CHECK_JOB

register_job(CHECK_JOB, title="Checking the recipients", capability=Capability.SEND, is_cancelable=False)(step)
