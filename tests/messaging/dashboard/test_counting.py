"""Counts by the quarter: right after every change, whoever made it, and cheap however long the log is."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.dashboard import counting
from messaging.dashboard.models import CountProgress, QuarterCount
from messaging.dashboard.selectors import last_days
from messaging.dashboard.tasks import count_anew, follow_log
from messaging.sending.models import Message, MessageEvent
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance
from tests.conftest import Cast
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def from_now_on(db: None) -> None:
    """Follow the log from this test's first event on."""
    CountProgress.objects.all().delete()


def make(cast: Cast, connection: Connection, status: str = "queued", **fields: Any) -> Message:
    """Make a message with its first event, as the outbox does."""
    message = MessageFactory(organization=cast.organization, connection=connection, status=status, **fields)
    MessageEvent.objects.create(message=message, status=status, source="intake")
    return message


def today(cast: Cast) -> tuple[int, int, int, int]:
    day = last_days(cast.organization)[-1]
    return day.delivered, day.on_way, day.failed, day.handed_over


def test_figures_follow_every_change_of_state(cast: Cast, connection: Connection) -> None:
    messages = [make(cast, connection) for _ in range(3)]
    follow_log()
    assert today(cast) == (0, 3, 0, 0)
    advance([Move(message_id=messages[0].pk, to=Status.ACCEPTED, source="engine")])
    follow_log()
    assert today(cast) == (0, 3, 0, 1)
    advance([Move(message_id=messages[0].pk, to=Status.DELIVERED, source="callback")])
    advance([Move(message_id=messages[1].pk, to=Status.CANCELED, source="member")])
    advance([Move(message_id=messages[2].pk, to=Status.BLOCKED, source="engine")])
    follow_log()
    assert today(cast) == (1, 0, 1, 1)
    follow_log()
    assert today(cast) == (1, 0, 1, 1)


def test_failed_message_counts_as_handed_over_only_if_it_was(cast: Cast, connection: Connection) -> None:
    make(cast, connection, "failed", handed_over_at=timezone.now())
    make(cast, connection, "failed")
    make(cast, connection, "received", direction="inbound")
    follow_log()
    assert today(cast) == (0, 0, 2, 1)


def test_counts_agree_with_the_log_whatever_happened(cast: Cast, connection: Connection) -> None:
    now = timezone.now()
    for number, status in enumerate([*Status.values, *Status.values]):
        make(
            cast,
            connection,
            status,
            direction="inbound" if status == "received" else "outbound",
            created_at=now - timedelta(hours=11 * number),
            handed_over_at=now if number % 2 else None,
        )
    follow_log()
    by_events = list(QuarterCount.objects.order_by("begins").values("begins", "delivered", "on_way", "failed"))
    QuarterCount.objects.all().delete()
    count_anew()
    assert list(QuarterCount.objects.order_by("begins").values("begins", "delivered", "on_way", "failed")) == by_events
    days = last_days(cast.organization)
    assert sum(day.delivered for day in days) == Message.objects.filter(status__in=["delivered", "read"]).count()


def test_days_begin_at_midnight_of_the_organizations_zone(cast: Cast, connection: Connection) -> None:
    cast.organization.time_zone = "Asia/Kathmandu"  # 5 hours and 45 minutes ahead
    cast.organization.save()
    yesterday = datetime.now(UTC).replace(hour=18, minute=0, second=0, microsecond=0) - timedelta(days=2)
    make(cast, connection, created_at=yesterday + timedelta(minutes=14))
    make(cast, connection, created_at=yesterday + timedelta(minutes=15))
    follow_log()
    counts = {day.day: day.total for day in last_days(cast.organization) if day.total}
    assert list(counts.values()) == [1, 1]


def test_stranger_has_counts_of_their_own(cast: Cast, connection: Connection) -> None:
    make(cast, connection)
    follow_log()
    assert all(day.total == 0 for day in last_days(cast.other))


def test_event_that_was_committed_late_is_met_by_the_second_look(cast: Cast, connection: Connection) -> None:
    make(cast, connection, created_at=timezone.now() - timedelta(days=5))
    event = make(cast, connection).events.get()
    MessageEvent.objects.filter(pk=event.pk).delete()
    make(cast, connection, created_at=timezone.now() - timedelta(days=3))
    follow_log()
    assert today(cast) == (0, 0, 0, 0)
    event.save(force_insert=True)  # an older id, seen only now
    follow_log()
    assert today(cast) == (0, 1, 0, 0)


def test_long_backlog_of_events_is_worked_off_in_portions(
    cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = make(cast, connection, "delivered").events.get().pk
    CountProgress.objects.create(event=begin - 1, before=begin - 1)
    for hours in (24, 48, 72):
        make(cast, connection, "delivered", created_at=timezone.now() - timedelta(hours=hours))
    monkeypatch.setattr(counting, "_EVENTS", 2)
    for expected in (2, 4, 4):
        follow_log()
        assert sum(day.delivered for day in last_days(cast.organization)) == expected


def test_big_quarter_rests_between_two_counts(cast: Cast, connection: Connection) -> None:
    make(cast, connection)
    follow_log()
    QuarterCount.objects.update(delivered=500_000, counted_at=timezone.now() - timedelta(seconds=60))
    make(cast, connection)
    follow_log()
    assert today(cast)[0] == 500_000
    QuarterCount.objects.update(counted_at=timezone.now() - timedelta(seconds=130))
    follow_log()
    assert today(cast) == (0, 2, 0, 0)


def test_old_counts_are_forgotten(cast: Cast) -> None:
    QuarterCount.objects.create(organization=cast.organization, begins=timezone.now() - timedelta(days=40))
    count_anew()
    assert not QuarterCount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_second_worker_leaves_the_log_to_the_first(cast: Cast, connection: Connection) -> None:
    make(cast, connection)
    CountProgress.objects.create()
    results: list[int] = []

    def second() -> None:
        results.append(counting.follow_log())
        database.close()

    with transaction.atomic():
        CountProgress.objects.select_for_update().get()
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(timeout=30)
    assert results == [0]
    assert counting.follow_log() == 1


def test_page_reads_counts_and_not_the_log(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as captured:
        last_days(cast.organization)
    assert '"messaging_message"' not in captured[0]["sql"]
