"""Celery's side of pricing."""

import time
import uuid

import structlog
from celery import shared_task

from integrations.connections.credentials import ConnectionUnusable
from integrations.connections.models import Connection

from .refresh import fetch_all
from .search import search_prices

log = structlog.get_logger(__name__)

_SEARCH_FOR = 12.0  # seconds, of the 20 between two runs


@shared_task(name="messaging.pricing.refresh")
def refresh(connection_id: str, regions: list[str]) -> None:
    """Fetch the prices that a page found old or missing."""
    connection = Connection.objects.filter(pk=uuid.UUID(connection_id), status=Connection.Status.ACTIVE).first()
    if connection is None:
        return
    try:
        fetch_all(connection, regions)
    except ConnectionUnusable as problem:
        log.info("prices_not_asked", code=problem.code)


@shared_task(name="messaging.pricing.search")
def search() -> None:
    """Take over what Twilio charged, as far as one run comes."""
    taken = search_prices(until=time.monotonic() + _SEARCH_FOR)
    if taken:
        log.info("prices_taken_over", count=taken)
