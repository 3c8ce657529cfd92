"""What PostgreSQL reads for the statements that run all the time or that somebody waits for, in a log of 24,000 rows.

No statement may read the table from end to end, neither row by row (a sequential scan) nor through an index whose rows
it then throws away: both grow with the log, and with five million rows nobody would wait for them.
"""

import json
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from messaging.alerts.watch import watch
from messaging.broadcasts.feeder import due_count
from messaging.broadcasts.models import Broadcast
from messaging.dashboard import counting
from messaging.dashboard.models import QuarterCount
from messaging.pricing import search
from messaging.sending import lanes, poll, reconcile, selectors, sweeps
from messaging.sending.claim import claim_batch
from messaging.sending.lanes import Lane
from messaging.sending.limit_models import Pace
from messaging.sending.limits import Limits
from messaging.sending.models import Message
from messaging.sending.selectors import LogFilter, message_log, page_of
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance
from tests.factories import ConnectionFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

# More than any of these statements has to look at (a claim of 100, a page of 50), far less than the table holds.
_FEW = 700

_SENDER = "MG" + "0" * 32

# Three of four messages are the busy organization's, a third of them queued; the quiet one's are all older.
_FILL = """
INSERT INTO messaging_message (
    id, organization_id, connection_id, direction, channel, purpose, lane, route, phone, region, sender, body, encoding,
    segments, status, provider_sid, error_code, error_reason, price_unit, attempts, source, created_at, due_at,
    valid_until, updated_at, next_check_at, probes, needs_person)
SELECT
    -- Ids that grow with time, as those of version 7 do.
    (lpad(to_hex(n), 12, '0') || '7000' || '8' || substr(md5(n::text), 1, 15))::uuid,
    CASE WHEN n > 6000 THEN %(busy)s ELSE %(quiet)s END,
    CASE WHEN n > 6000 THEN %(busy_connection)s ELSE %(quiet_connection)s END,
    CASE WHEN n %% 50 = 0 THEN 'inbound' ELSE 'outbound' END, 'sms', 'transactional', 1, 'twilio',
    '+49151' || lpad((n::bigint * 7919 %% 100000000)::text, 8, '0'), 'DE', 'MG' || repeat('0', 32),
    'Your parcel is here.', 'GSM-7', 1,
    CASE WHEN n %% 50 = 0 THEN 'received' WHEN n > 16000 THEN 'queued'
        ELSE (ARRAY['delivered', 'delivered', 'sent', 'failed', 'accepted'])[1 + n %% 5] END,
    CASE WHEN n > 16000 THEN '' ELSE 'SM' || md5(n::text) END,
    NULL, '', '', 1, 'api', now() - (24000 - n) * interval '1 minute', now() - interval '1 minute',
    now() + interval '10 hours', now(), CASE WHEN n <= 16000 THEN now() + interval '1 hour' END, 0, false
FROM generate_series(1, 24000) AS n
"""


@pytest.fixture(scope="module")
def busy(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Organization]:
    """An organization with 18,000 messages, beside a quiet one with 6,000 older ones."""
    with django_db_blocker.unblock(), transaction.atomic():
        busy, quiet = OrganizationFactory(slug="busy"), OrganizationFactory(slug="quiet")
        values = {
            "busy": busy.pk,
            "quiet": quiet.pk,
            "busy_connection": ConnectionFactory(organization=busy).pk,
            "quiet_connection": ConnectionFactory(organization=quiet).pk,
        }
        with database.cursor() as cursor:
            cursor.execute(_FILL, values)
            # Not all tables: those that all databases share stay locked until the rows are taken back.
            cursor.execute("ANALYZE messaging_message, integrations_connection, integrations_organization")
            # Here and once, or each test would check the keys of all these rows.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        yield busy
        transaction.set_rollback(True)


def read_rows(action: Callable[[], object]) -> tuple[int, list[str]]:
    """Do it, look at the plan of each statement, and return the most rows one read, and how messages were reached."""
    with transaction.atomic():
        with CaptureQueriesContext(database) as captured:
            action()
        transaction.set_rollback(True)
    statements = [query["sql"] for query in captured if "messaging_message" in query["sql"]]
    assert statements, "nothing was asked of the table"
    most, ways = 0, []
    for statement in statements:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"), ())
            found = cursor.fetchone()[0]
            transaction.set_rollback(True)
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        for node in _nodes(plan):
            if _is_scan_of_messages(node):
                ways.append(f"{node['Node Type']} {node.get('Index Name', '')}".strip())
                removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                most = max(most, round((node["Actual Rows"] + removed) * node["Actual Loops"]))
    return most, ways


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _is_scan_of_messages(node: dict[str, Any]) -> bool:
    # A bitmap's index scan names its index only; the heap scan above it names the table.
    is_bitmap_index = node["Node Type"] == "Bitmap Index Scan" and not node["Index Name"].startswith("integrations_")
    return is_bitmap_index or (node.get("Relation Name") == "messaging_message" and "Scan" in node["Node Type"])


def page(organization: Organization, **wanted: Any) -> Callable[[], object]:
    return lambda: page_of(message_log(organization, wanted=LogFilter(**wanted)))


def known(organization: Organization) -> Message:
    return message_log(organization, wanted=LogFilter(status="delivered"))[0]


def test_counting_finds_a_sequential_scan_and_a_walk_through_an_index(busy: Organization) -> None:
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
        most, ways = read_rows(lambda: known(busy))
        assert "Seq Scan" in ways
        assert most > 10_000
        cursor.execute("SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = on")
    most, ways = read_rows(lambda: list(Message.objects.filter(body="none").order_by("-id")[:5]))
    assert most > 10_000


@pytest.mark.parametrize("organization", ["busy", "quiet"])
def test_first_page_of_the_log_reads_one_page(busy: Organization, organization: str) -> None:
    most, ways = read_rows(page(Organization.objects.get(slug=organization)))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


def test_later_page_reads_one_page(busy: Organization) -> None:
    last = known(busy).pk
    most, ways = read_rows(lambda: page_of(message_log(busy, wanted=LogFilter()), after=last))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


@pytest.mark.parametrize(
    "part", [slice(None), slice(3, None), slice(-6, None), slice(-4, None)], ids=["whole", "national", "six", "four"]
)
def test_search_by_number_reads_what_it_shows(busy: Organization, part: slice) -> None:
    phone = known(busy).phone
    query = "0" + phone[part] if part.start == 3 else phone[part]
    assert phone in {message.phone for message in message_log(busy, wanted=LogFilter(query=query))}
    most, ways = read_rows(page(busy, query=query))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


def test_counting_what_waits_of_a_broadcast_reads_its_messages_only(busy: Organization) -> None:
    most, ways = read_rows(lambda: due_count(Broadcast(organization=busy)))
    assert most == 0, ways
    assert "Seq Scan" not in ways


def test_search_by_sid_reads_one_row(busy: Organization) -> None:
    most, ways = read_rows(page(busy, query=known(busy).provider_sid))
    assert most == 1, ways


@pytest.mark.parametrize(
    "wanted",
    [{"status": "failed"}, {"status": "unknown"}, {"direction": "inbound"}, {"direction": "outbound"}],
    ids=["failed", "unknown", "inbound", "outbound"],
)
def test_filtered_log_reads_what_it_shows(busy: Organization, wanted: dict[str, str]) -> None:
    most, ways = read_rows(page(busy, **wanted))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "wanted",
    [
        {"since": 3},
        {"until": 12},
        {"since": 9, "until": 9},
        {"since": 14, "until": 9},
        {"status": "failed", "until": 12},
        {"status": "failed", "since": 14},
        {"direction": "inbound", "since": 14},
        {"status": "delivered", "direction": "outbound"},
    ],
    ids=lambda wanted: "-".join(wanted),
)
def test_filters_by_date_and_several_at_once_read_what_they_show(busy: Organization, wanted: dict[str, Any]) -> None:
    today = timezone.now().date()
    dates = {name: today - DAY * value if isinstance(value, int) else value for name, value in wanted.items()}
    most, ways = read_rows(page(busy, **dates))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


def test_later_page_of_an_ended_range_reads_one_page(busy: Organization) -> None:
    until = timezone.now().date() - DAY * 9
    rows = message_log(busy, wanted=LogFilter(until=until))
    first = page_of(rows)
    second = page_of(rows, after=first.next)
    assert first.messages[-1].created_at >= second.messages[0].created_at
    assert not {row.pk for row in first.messages} & {row.pk for row in second.messages}
    most, ways = read_rows(lambda: page_of(rows, after=first.next))
    assert most <= _FEW, ways


def test_search_by_number_within_a_status_and_a_range_reads_what_it_shows(busy: Organization) -> None:
    message = known(busy)
    wanted = {"query": message.phone, "status": "delivered", "until": message.created_at.date()}
    most, ways = read_rows(page(busy, **wanted))
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


def test_look_for_newer_messages_reads_no_more_than_it_counts(busy: Organization) -> None:
    rows, newest = message_log(busy, wanted=LogFilter()), known(busy).pk
    most, ways = read_rows(lambda: selectors.newer_than(rows, newest=newest))
    assert most <= _FEW, ways


def test_count_of_waiting_messages_stops_at_a_thousand(busy: Organization) -> None:
    most, ways = read_rows(lambda: selectors.waiting_count(busy))
    assert most <= 1000, ways


def test_claim_reads_what_it_takes(busy: Organization) -> None:
    connection = Connection.objects.get(organization=busy)
    most, ways = read_rows(lambda: claim_batch(connection.pk, sender=_SENDER, lane=1, limit=100))
    assert most <= _FEW, ways
    assert "Index Scan message_outbox_lanes" in ways


def test_limited_claim_reads_what_it_takes(busy: Organization) -> None:
    connection = Connection.objects.get(organization=busy)
    Pace.objects.create(connection=connection, sender=_SENDER, mps=100)
    limits = Limits(
        organization_id=busy.pk,
        zone="Europe/Berlin",
        daily_cap=1_000_000,
        is_quiet=True,
        quiet_from=time(20),
        quiet_until=time(8),
        is_paced=True,
    )
    most, ways = read_rows(lambda: claim_batch(connection.pk, sender=_SENDER, lane=1, limit=100, limits=limits))
    assert most <= _FEW, ways
    assert "Index Scan message_outbox_lanes" in ways


def test_change_of_state_reads_the_rows_it_names(busy: Organization) -> None:
    messages = Message.objects.filter(organization=busy, status=Status.ACCEPTED)[:100]
    moves = [Move(message_id=message.pk, to=Status.DELIVERED, source="callback") for message in messages]
    most, ways = read_rows(lambda: advance(moves))
    assert most <= _FEW, ways
    assert {way for way in ways if "listener" not in way} == {"Index Scan messaging_message_pkey"}


def test_count_of_a_quarter_reads_the_messages_made_in_it(busy: Organization) -> None:
    begins = known(busy).created_at.replace(minute=15, second=0, microsecond=0)
    QuarterCount.objects.create(organization=busy, begins=begins)
    most, ways = read_rows(lambda: counting._count(is_all=True))
    assert most <= _FEW, ways
    assert set(ways) == {"Index Only Scan message_log_by_day", "Index Scan message_log_by_day"}


@pytest.mark.parametrize(
    "sweep",
    [
        sweeps.release_scheduled,
        sweeps.expire_waiting,
        sweeps.release_expired_leases,
        poll._hold_due,
        reconcile._hold_due,
        lanes.lanes_with_work,
        lambda: search._with_work(20),
        watch,
        counting.follow_log,
    ],
    ids=["scheduled", "expired", "leases", "poll", "reconcile", "lanes", "prices", "alerts", "counts"],
)
def test_sweep_that_finds_little_reads_little(busy: Organization, sweep: Callable[[], object]) -> None:
    Connection.objects.filter(organization__slug="quiet").update(status=Connection.Status.BROKEN)
    most, ways = read_rows(sweep)
    assert most <= _FEW, ways
    assert "Seq Scan" not in ways


def test_look_for_lanes_reads_as_many_rows_as_there_are_lanes(busy: Organization) -> None:
    queued = Message.objects.filter(organization=busy, status=Status.QUEUED)
    for number, message in enumerate(queued.order_by("-id")[:3]):
        Message.objects.filter(pk=message.pk).update(sender=f"+1555000{number}", lane=0)
    found: list[Lane] = []
    most, ways = read_rows(lambda: found.extend(lanes.lanes_with_work()))
    assert len(found) == 4
    assert (found[-1].sender, found[-1].lane) == (_SENDER, 1)
    assert most <= 10, ways


def test_look_for_the_lanes_of_a_connection_reads_little(busy: Organization) -> None:
    connection = Connection.objects.get(organization=busy)
    most, ways = read_rows(lambda: lanes.lanes_of(connection.pk, lane=1))
    assert most <= 10, ways
