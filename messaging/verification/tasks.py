"""Celery's side of verification."""

from celery import shared_task

from messaging.sending.sealing import forget_sealed

from . import arrival, attempts, moves


@shared_task(name="messaging.verification.sweep")
def sweep() -> None:
    """Note which codes arrived, end what was not approved in time, and forget texts with codes that have served."""
    arrival.note_arrivals()
    arrival.note_failures()
    moves.expire_due()
    forget_sealed()


@shared_task(name="messaging.verification.ask_twilio")
def ask_twilio() -> None:
    """Ask Twilio whether the codes of Verify Services arrived."""
    attempts.ask_twilio()
