"""Signs of life of worker processes, kept in PostgreSQL so that they are known while Valkey is away."""

import os
import socket
import threading
from datetime import timedelta

import structlog
from django.db import Error, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from .models import WorkerPulse

log = structlog.get_logger(__name__)

EVERY = 3.0
ALIVE_WITHIN = timedelta(seconds=12)
_CLERK = "clerk@"  # how config/launcher/commands.py and docs/deploy.md name the process
_stopped = threading.Event()


def start(*, name: str) -> None:
    """Begin to beat in a thread of this process."""
    _stopped.clear()
    threading.Thread(target=_beat, args=(name,), name="pulse", daemon=True).start()


def stop() -> None:
    """Beat no more, and take the process off the list."""
    _stopped.set()


def beat(*, name: str) -> None:
    """Write one sign of life."""
    WorkerPulse.objects.update_or_create(
        name=f"{name}:{os.getpid()}",
        defaults={"host": socket.gethostname(), "pid": os.getpid(), "seen_at": Now()},
    )


def alive_workers() -> list[WorkerPulse]:
    """Return the workers that send and gave a sign lately."""
    return list(_alive().exclude(name__startswith=_CLERK).order_by("name"))


def is_clerk_alive() -> bool:
    """Tell whether a process for long work gave a sign lately."""
    return _alive().filter(name__startswith=_CLERK).exists()


def _alive() -> QuerySet[WorkerPulse]:
    return WorkerPulse.objects.filter(seen_at__gte=Now() - ALIVE_WITHIN)


def forget_dead() -> None:
    """Remove the rows of workers not heard of for a day."""
    WorkerPulse.objects.filter(seen_at__lt=Now() - timedelta(days=1)).delete()


def _beat(name: str) -> None:
    while not _stopped.is_set():
        try:
            beat(name=name)
        except Error as error:
            log.warning("pulse_not_written", error=type(error).__name__)
            connection.close()
        _stopped.wait(EVERY)
    try:
        WorkerPulse.objects.filter(name=f"{name}:{os.getpid()}").delete()
    except Error as error:
        log.warning("pulse_not_removed", error=type(error).__name__)
    connection.close()
