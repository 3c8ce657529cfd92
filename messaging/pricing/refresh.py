"""Ask Twilio for prices: at once, while a page waits a moment, or later in a worker."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus

import structlog
from django.db.models import Q
from django.utils import timezone

from config.calling import call
from config.celery import CHORES
from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.models import Connection
from integrations.twilio.client import gateway_for
from integrations.twilio.errors import TwilioError, TwilioRefused
from integrations.twilio.results import CountryPrices

from .models import CountryPrice
from .senders import plain_type

log = structlog.get_logger(__name__)

PATIENCE = 1.8  # seconds a page waits in all
_TIMEOUT = 1.5  # seconds of one request among them
_AT_ONCE = 8
_FAILED_FOR = timedelta(seconds=60)
_MOST_LATER = 300  # countries of one task; there are fewer

Answer = CountryPrices | TwilioError


def fetch_now(connection: Connection, regions: Sequence[str]) -> list[CountryPrice]:
    """Fetch the prices of some countries within PATIENCE and keep them; return what came.

    After a failure nothing is asked on this connection for a minute, so that an outage costs one page a moment and not
    every page. What did not come in time is left to a worker.
    """
    if not regions or _failed_lately(connection):
        return []
    try:
        gateway = gateway_for(credentials_of(connection), timeout=_TIMEOUT)
    except ConnectionUnusable as problem:
        log.info("prices_not_asked", code=problem.code)
        return []
    pool = ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(regions)), thread_name_prefix="prices")
    asked: dict[Future[CountryPrices], str] = {
        pool.submit(gateway.fetch_country_prices, region): region for region in regions
    }
    done, late = wait(asked, timeout=PATIENCE)
    pool.shutdown(wait=False, cancel_futures=True)
    rows = _keep(connection, {asked[future]: _answer_of(future) for future in done})
    if late:
        fetch_later(connection, [asked[future] for future in late])
    return rows


def fetch_later(connection: Connection, regions: Sequence[str]) -> None:
    """Have a worker fetch them; each country is asked for once a minute at most. Never raises, never takes long."""
    if not regions:
        return
    now = timezone.now()
    CountryPrice.objects.bulk_create(
        [CountryPrice(connection=connection, region=region) for region in regions], ignore_conflicts=True
    )
    due = CountryPrice.objects.filter(connection=connection, region__in=regions).filter(
        Q(asked_at=None) | Q(asked_at__lt=now - _FAILED_FOR)
    )
    if not due.update(asked_at=now):
        return
    call("messaging.pricing.refresh", str(connection.pk), sorted(regions)[:_MOST_LATER], queue=CHORES)


def fetch_all(connection: Connection, regions: Iterable[str]) -> int:
    """Fetch one country after the other, in a worker; end at the first that gets no answer. Return how many came."""
    gateway = gateway_for(credentials_of(connection))
    came = 0
    for region in regions:
        try:
            answer: Answer = gateway.fetch_country_prices(region)
        except TwilioError as error:
            answer = error
        rows = _keep(connection, {region: answer})
        if not rows:
            break
        came += 1
    return came


def _answer_of(future: Future[CountryPrices]) -> Answer:
    try:
        return future.result()
    except TwilioError as error:
        return error


def _failed_lately(connection: Connection) -> bool:
    since = timezone.now() - _FAILED_FOR
    return CountryPrice.objects.filter(connection=connection, failed_at__gt=since).exists()


def _keep(connection: Connection, answers: dict[str, Answer]) -> list[CountryPrice]:
    """Store the answers, failures too; return the rows that hold prices now."""
    now = timezone.now()
    good, bad = [], []
    for region, answer in sorted(answers.items()):
        if isinstance(answer, CountryPrices):
            good.append(
                CountryPrice(
                    connection=connection,
                    region=region,
                    by_type=_by_type(answer),
                    unit=answer.unit,
                    fetched_at=now,
                )
            )
        elif isinstance(answer, TwilioRefused) and answer.http_status == HTTPStatus.NOT_FOUND:
            # Twilio has no such country: that is an answer, too, and holds for a day.
            good.append(CountryPrice(connection=connection, region=region, fetched_at=now))
        else:
            log.info("prices_not_fetched", region=region, code=answer.code, http_status=answer.http_status)
            bad.append(CountryPrice(connection=connection, region=region, failed_at=now))
    _upsert(good, fields=["by_type", "unit", "fetched_at", "failed_at"])
    _upsert(bad, fields=["failed_at"])  # what was known before stays known
    return good


def _upsert(rows: list[CountryPrice], *, fields: list[str]) -> None:
    CountryPrice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "region"], update_fields=fields
    )


def _by_type(prices: CountryPrices) -> dict[str, list[str]]:
    """Return the cheapest and the dearest carrier's price by type of sender."""
    found: dict[str, list[Decimal]] = {}
    for line in prices.lines:
        found.setdefault(plain_type(line.number_type), []).append(line.price)
    return {kind: [str(min(amounts)), str(max(amounts))] for kind, amounts in found.items()}
