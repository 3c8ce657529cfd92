"""Celery's side of verification."""

from celery import shared_task

from messaging.sending.sealing import forget_sealed

from . import arrival, moves


@shared_task(name="messaging.verification.sweep")
def sweep() -> None:
    """Note which codes arrived, end what was not approved in time, and forget texts with codes that have served."""
    arrival.note_arrivals()
    arrival.note_failures()
    moves.expire_due()
    forget_sealed()
