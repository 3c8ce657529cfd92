"""Celery's side of verification."""

from celery import shared_task

from messaging.sending.sealing import forget_sealed

from . import arrival, moves


@shared_task(name="messaging.verification.sweep")
def sweep() -> None:
    """End what was not approved in time, note which codes arrived, and forget texts with codes that have served."""
    moves.expire_due()
    arrival.note_arrivals()
    forget_sealed()
