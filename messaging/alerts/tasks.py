"""Celery's side of alerts."""

from celery import shared_task

from . import mail
from .watch import watch


@shared_task(name="messaging.alerts.watch")
def look() -> None:
    """Raise and clear alerts."""
    watch()


@shared_task(name="messaging.alerts.send_letters")
def send_letters() -> None:
    """Tell owners and admins by e-mail."""
    mail.send_letters()
