"""Celery's side of sending: short tasks that wake the engine or sweep, and the life of a worker process."""

import uuid
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.core.management import call_command

from messaging.jobs import work

from . import nudges, pulse, sweeps
from .engine import engine
from .poll import poll_due
from .reconcile import reconcile_due

log = structlog.get_logger(__name__)


@shared_task(name="messaging.sending.drain")
def drain(connection_id: str, lane: int, sender: str | None = None) -> None:
    """Have this process's engine send what is due on a lane; without a sender on those of all its senders.

    Tasks that were queued before lanes belonged to senders name none.
    """
    key = uuid.UUID(connection_id)
    nudges.begin_drain(key, lane=lane, sender=sender)
    engine().wake(key, lane=lane, sender=sender)


@shared_task(name="messaging.sending.sweep_queued")
def sweep_queued() -> None:
    """Release what is due, nudge what was forgotten, end what waited too long."""
    sweeps.release_scheduled()
    sweeps.nudge_forgotten()
    sweeps.expire_waiting()


@shared_task(name="messaging.sending.sweep_leases")
def sweep_leases() -> None:
    """Call messages unknown whose worker was lost."""
    lost = sweeps.release_expired_leases()
    if lost:
        log.warning("leases_expired", count=lost)


@shared_task(name="messaging.sending.reconcile")
def reconcile() -> None:
    """Look unknown messages up at Twilio."""
    reconcile_due()


@shared_task(name="messaging.sending.poll")
def poll() -> None:
    """Ask Twilio about messages without news."""
    poll_due()


@shared_task(name="messaging.sending.clean_up")
def clean_up() -> None:
    """Forget what has served its time."""
    sweeps.forget_old_keys()
    sweeps.settle_silent()
    pulse.forget_dead()
    work.forget_old()
    call_command("clearsessions")


@worker_ready.connect
def _begin_pulse(sender: Any = None, **_: Any) -> None:
    pulse.start(name=str(getattr(sender, "hostname", "worker")))


@worker_shutting_down.connect
def _claim_nothing_more(**_: Any) -> None:
    engine().begin_stop()


@worker_shutdown.connect
def _finish_what_is_under_way(**_: Any) -> None:
    if not engine().stop(timeout=settings.TWILIO_TIMEOUT + 3):
        log.warning("stopped_with_messages_under_way", count=engine().in_flight)
    pulse.stop()
