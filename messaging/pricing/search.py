"""What Twilio charged, and how many segments it counted: taken over from its list of messages, a page at a time.

A callback carries no price, and Twilio knows it only some time after the message was sent. So messages that arrived
without a price are looked for in several *passes*, each when they have reached a certain age. A pass walks along the
time of handing over: it takes the next messages without a price, opens a window of Twilio's list around them (by
DateSent, a thousand a page), and writes what the pages know, for every message of ours that stands on them. Where it is
stands in the pass's row, down to the next page: a worker may die at any line, and a million messages are worked off in
small portions. After the last pass nobody asks any more.
"""

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import connection as database
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from integrations.twilio.client import Gateway, gateway_for
from integrations.twilio.errors import TwilioError
from integrations.twilio.results import MessagePage, MessageSnapshot
from messaging.sending.models import PRICED, Message
from messaging.sending.verdict import judge

from .models import PriceSearch

log = structlog.get_logger(__name__)

_SPAN = timedelta(minutes=30)  # of handing over that one window is opened for at most
_FEW = 2000  # messages of a window whose ends are looked at one by one
_SLACK = timedelta(minutes=2)  # clocks differ
_HELD_FOR = timedelta(minutes=2)
_LONGEST_PAUSE = timedelta(hours=6)
_DEAREST = Decimal(99_999)  # what the column holds


@dataclass(frozen=True)
class _Pass:
    """Look when messages are so old, and no oftener than every `rest`; Twilio sent them within `delay`, it is hoped.

    The rest keeps windows from overlapping many times over: each is wider than what it is opened for.
    """

    age: timedelta
    delay: timedelta
    rest: timedelta


# A message may wait in Twilio's queue for ten hours, but rarely does: the later passes read wider windows.
PASSES = (
    _Pass(age=timedelta(minutes=2), delay=timedelta(minutes=5), rest=timedelta(minutes=5)),
    _Pass(age=timedelta(minutes=15), delay=timedelta(minutes=30), rest=timedelta(minutes=20)),
    _Pass(age=timedelta(hours=1), delay=timedelta(hours=2), rest=timedelta(minutes=40)),
    _Pass(age=timedelta(hours=6), delay=timedelta(hours=10), rest=timedelta(hours=2)),
    _Pass(age=timedelta(days=1), delay=timedelta(hours=10), rest=timedelta(hours=6)),
    _Pass(age=timedelta(days=4), delay=timedelta(hours=10), rest=timedelta(hours=12)),
)
_OLDEST = PASSES[-1].age + timedelta(days=1)  # where a pass begins that never ran

# ORDER and LIMIT make it one look into the index for each pass of each connection.
_WITH_WORK = """
SELECT c.id, p.number FROM integrations_connection c
JOIN integrations_organization o ON o.id = c.organization_id AND o.status = 'active'
CROSS JOIN (
    SELECT number, seconds * interval '1 second' AS age FROM unnest(%s::int[], %s::float[]) AS u(number, seconds)
) p
LEFT JOIN messaging_pricesearch s ON s.connection_id = c.id AND s.number = p.number
LEFT JOIN LATERAL (
    SELECT m.handed_over_at FROM messaging_message m
    WHERE m.connection_id = c.id AND m.price IS NULL AND m.status IN ('delivered', 'read', 'undelivered')
        AND NOT (m.provider_sid = '') AND m.handed_over_at > COALESCE(s.through, now() - %s * interval '1 second')
        AND m.handed_over_at <= now() - p.age
    ORDER BY m.handed_over_at LIMIT 1
) AS due ON true
WHERE c.status = 'active' AND c.mode NOT IN ('test', 'webhook')
    AND (due.handed_over_at IS NOT NULL OR s.window_to IS NOT NULL)
    AND (s.held_until IS NULL OR s.held_until <= now())
ORDER BY s.held_until NULLS FIRST, p.number LIMIT %s
"""

_TAKE_OVER = """
UPDATE messaging_message m SET price = w.price, price_unit = w.unit,
    segments = COALESCE(NULLIF(w.segments, 0), m.segments), updated_at = now()
FROM jsonb_to_recordset(%s::jsonb) AS w(sid text, price numeric, unit text, segments int)
WHERE m.provider_sid = w.sid AND NOT (m.provider_sid = '') AND m.connection_id = %s AND m.price IS NULL
"""


def search_prices(*, until: float, most: int = 20) -> int:
    """Go on with the passes that have work until `until` (time.monotonic()); return how many prices were taken over."""
    taken = 0
    for connection_id, number in _with_work(most):
        if time.monotonic() >= until:
            break
        search = _hold(connection_id, number)
        if search is not None:
            taken += _go_on(search, until=until)
    return taken


def take_over(connection: Connection, snapshots: Sequence[MessageSnapshot]) -> int:
    """Write price and segments of messages as Twilio's list has them, where we have none; return how many."""
    rows = [
        {
            "sid": one.sid,
            "price": str(abs(one.price)),
            "unit": one.price_unit[:3],
            "segments": min(one.num_segments or 0, 1000),
        }
        for one in snapshots
        if one.price is not None and abs(one.price) <= _DEAREST and one.direction != "inbound"
    ]
    if not rows:
        return 0
    with database.cursor() as cursor:
        cursor.execute(_TAKE_OVER, [json.dumps(rows), connection.pk])
        return cursor.rowcount


def _with_work(most: int) -> list[tuple[uuid.UUID, int]]:
    numbers, seconds = list(range(len(PASSES))), [one.age.total_seconds() for one in PASSES]
    with database.cursor() as cursor:
        cursor.execute(_WITH_WORK, [numbers, seconds, _OLDEST.total_seconds(), most])
        return cursor.fetchall()


def _hold(connection_id: uuid.UUID, number: int) -> PriceSearch | None:
    """Take the pass for a while; None where another worker has it."""
    now = timezone.now()
    search, _ = PriceSearch.objects.get_or_create(
        connection_id=connection_id, number=number, defaults={"through": now - _OLDEST}
    )
    is_ours = (
        PriceSearch.objects.filter(pk=search.pk)
        .filter(Q(held_until=None) | Q(held_until__lte=now))
        .update(held_until=now + _HELD_FOR)
    )
    if not is_ours:
        return None
    return PriceSearch.objects.select_related("connection__organization").get(pk=search.pk)


def _go_on(search: PriceSearch, *, until: float) -> int:
    """Read pages until the time is up or nothing is left; the row says after each how far it came."""
    try:
        gateway = gateway_for(credentials_of(search.connection))
    except ConnectionUnusable as problem:
        log.error("prices_not_searched", connection_id=str(search.connection_id), code=problem.code)
        _pause(search)
        return 0
    taken, rest = 0, None
    while time.monotonic() < until:
        if search.window_to is None and not _open_window(search):
            rest = timezone.now() + PASSES[search.number].rest
            break
        try:
            page = _next_page(gateway, search)
        except TwilioError as error:
            verdict = judge(error, attempts=1)
            if verdict.breaks_connection and verdict.code is not None:
                mark_broken(search.connection, code=verdict.code)
            log.info("prices_refused", code=error.code, http_status=error.http_status)
            search.next_page = ""  # it may be the page that has gone
            _pause(search)
            return taken
        taken += take_over(search.connection, page.messages)
        search.next_page = page.next_page
        end = search.window_end or search.through
        if not page.next_page or not _unpriced(search, after=search.through, until=end).exists():
            search.through, search.window_from, search.window_to, search.next_page = end, None, None, ""
        search.failures = 0
        search.save(update_fields=["through", "window_from", "window_to", "window_end", "next_page", "failures"])
    PriceSearch.objects.filter(pk=search.pk).update(held_until=rest)
    return taken


def _open_window(search: PriceSearch) -> bool:
    """Open the window around the next messages without a price; tell whether there are any."""
    this = PASSES[search.number]
    youngest = timezone.now() - this.age
    due = _unpriced(search, after=search.through, until=youngest).order_by("handed_over_at")
    first = due.values_list("handed_over_at", flat=True).first()
    if first is None:
        return False
    last = min(first + _SPAN, youngest)
    found = list(due.filter(handed_over_at__lte=last).values_list("handed_over_at", "finished_at")[:_FEW])
    latest = last + this.delay
    if len(found) < _FEW:
        # Twilio sends after it was asked to and before the message arrives: a few messages need no wide window.
        last = found[-1][0] or last
        latest = min(last + this.delay, max((finished for _, finished in found if finished), default=latest))
    search.window_from, search.window_to = first - _SLACK, max(latest, last) + _SLACK
    search.window_end, search.next_page = last, ""
    return True


def _next_page(gateway: Gateway, search: PriceSearch) -> MessagePage:
    assert search.window_from is not None  # noqa: S101 - an open window has both ends
    assert search.window_to is not None  # noqa: S101
    return gateway.page_of_messages(
        sent_after=search.window_from, sent_before=search.window_to, next_page=search.next_page
    )


def _unpriced(search: PriceSearch, *, after: datetime, until: datetime) -> QuerySet[Message]:
    return Message.objects.filter(
        connection=search.connection_id,
        price=None,
        status__in=PRICED,
        handed_over_at__gt=after,
        handed_over_at__lte=until,
    ).exclude(provider_sid="")


def _pause(search: PriceSearch) -> None:
    """Let the pass rest: a minute after a failure, longer after each further one."""
    pause = min(_LONGEST_PAUSE, timedelta(minutes=2 ** min(search.failures, 9)))
    PriceSearch.objects.filter(pk=search.pk).update(
        held_until=timezone.now() + pause, failures=F("failures") + 1, next_page=search.next_page
    )
