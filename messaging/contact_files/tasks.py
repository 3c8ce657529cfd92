"""Celery's side of the room."""

from celery import shared_task

from .models import ContactImport


@shared_task(name="messaging.contact_files.forget")
def forget() -> None:
    """Forget the rows that were shown of files which are forgotten."""
    ContactImport.objects.filter(upload=None).exclude(first_wrong=[]).update(first_wrong=[])
