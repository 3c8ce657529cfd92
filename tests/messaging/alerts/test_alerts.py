"""Alerts: raised once, cleared by themselves, raised anew; found by the watch or told at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.connections.disconnecting import disconnect
from integrations.connections.health import mark_broken, mark_working
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from messaging.alerts import failures, raising
from messaging.alerts.models import Alert, FailureCount
from messaging.alerts.raising import FLAPPING, clear_alert, raise_alert
from messaging.alerts.tasks import look
from messaging.alerts.watch import watch
from messaging.inbox.models import Conversation
from messaging.sending.limit_models import DailyUse, Pace, SendingPolicy
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    """What happens on commit happens at the end of `with committed(execute=True)`."""
    return django_capture_on_commit_callbacks


def raise_one(organization: Organization, **changes: str) -> bool:
    return raise_alert(organization, **{"kind": "needs_person", "text": "Look", "link": "/messages/", **changes})


def open_ones(organization: Organization) -> list[tuple[str, str]]:
    return list(Alert.objects.filter(organization=organization, cleared_at=None).values_list("kind", "key"))


class TestRaising:
    """One open alert for each organization, kind and key."""

    def test_second_call_changes_only_the_text(self, cast: Cast) -> None:
        assert raise_one(cast.organization)
        assert not raise_one(cast.organization, text="Look at two")
        alert = Alert.objects.get()
        assert (alert.text, alert.cleared_at) == ("Look at two", None)

    def test_other_keys_and_organizations_have_their_own(self, cast: Cast) -> None:
        assert raise_one(cast.organization, key="a")
        assert raise_one(cast.organization, key="b")
        assert raise_one(cast.other, key="a")
        assert clear_alert(cast.organization, kind="needs_person", key="a")
        assert not clear_alert(cast.organization, kind="needs_person", key="a")
        assert open_ones(cast.organization) == [("needs_person", "b")]
        assert open_ones(cast.other) == [("needs_person", "a")]

    def test_return_of_the_cause_is_a_new_alert_after_a_pause_and_the_same_before(self, cast: Cast) -> None:
        raise_one(cast.organization)
        first = Alert.objects.get()
        Alert.objects.update(emailed_at=timezone.now())
        clear_alert(cast.organization, kind="needs_person")
        assert raise_one(cast.organization)
        again = Alert.objects.get()
        assert (again.pk, again.cleared_at) == (first.pk, None)
        assert again.emailed_at is not None  # no second letter
        Alert.objects.update(cleared_at=timezone.now() - FLAPPING - timedelta(seconds=1))
        assert raise_one(cast.organization)
        assert Alert.objects.count() == 2
        assert Alert.objects.get(cleared_at=None).emailed_at is None

    def test_dismissal_keeps_it_open_and_can_be_undone(self, cast: Cast) -> None:
        raise_one(cast.organization)
        alert = Alert.objects.get()
        assert raising.dismiss(alert, actor=cast.admin)
        assert not raising.dismiss(alert, actor=cast.owner)
        assert not raise_one(cast.organization)
        alert.refresh_from_db()
        assert (alert.dismissed_by, alert.is_open) == (cast.admin, True)
        assert raising.show_again(alert)
        assert not raising.show_again(alert)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_raises_it(cast: Cast) -> None:
    results: list[bool] = []
    barrier = threading.Barrier(6)

    def go() -> None:
        try:
            barrier.wait()
            results.append(raise_one(cast.organization))
        finally:
            database.close()

    for make_old in (False, True):  # a new alert, and one that was cleared a moment ago
        if make_old:
            clear_alert(cast.organization, kind="needs_person")
            results.clear()
        threads = [threading.Thread(target=go) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == [False] * 5 + [True]
        assert Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_watchers_at_once_raise_one_alert(cast: Cast, connection: Connection) -> None:
    Connection.objects.update(status="broken", broken_code=20003)
    barrier = threading.Barrier(2)

    def go() -> None:
        try:
            barrier.wait()
            watch()
        finally:
            database.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Alert.objects.count() == 1


class TestBrokenConnection:
    """Told at once, with cause and remedy."""

    def test_alert_stands_with_cause_and_remedy_and_goes_when_it_works(
        self, cast: Cast, connection: Connection, committed: Any
    ) -> None:
        with committed(execute=True):
            mark_broken(connection, code=20003)
        alert = Alert.objects.get()
        assert open_ones(cast.organization) == [("connection_broken", str(connection.pk))]
        assert "20003" in alert.text
        assert "“Twilio” is broken" in alert.text
        assert alert.link == f"/integration/twilio/{connection.pk}/"
        with committed(execute=True):
            mark_broken(connection, code=20003)
        watch()
        assert Alert.objects.count() == 1
        with committed(execute=True):
            mark_working(connection)
        assert not open_ones(cast.organization)

    def test_watch_finds_what_nobody_told_and_clears_what_is_gone(self, cast: Cast, connection: Connection) -> None:
        Connection.objects.update(status="broken", broken_code=10001)
        look()
        assert open_ones(cast.organization) == [("connection_broken", str(connection.pk))]
        Connection.objects.update(status="active", broken_code=None)
        look()
        assert not open_ones(cast.organization)

    def test_disconnecting_ends_it(self, cast: Cast, connection: Connection) -> None:
        Connection.objects.update(status="broken", broken_code=10001)
        watch()
        disconnect(connection, actor=cast.owner)
        watch()
        assert not open_ones(cast.organization)


class TestDailyCap:
    """Said when four fifths are gone, and when nothing is left; each day anew."""

    def use(self, cast: Cast, used: int, *, cap: int = 100, days: int = 0) -> None:
        SendingPolicy.objects.update_or_create(organization=cast.organization, defaults={"daily_cap": cap})
        today = timezone.now().astimezone(ZoneInfo(cast.organization.time_zone)).date()
        DailyUse.objects.update_or_create(
            organization=cast.organization, day=today + timedelta(days=days), defaults={"used": used}
        )

    def test_near_then_reached_and_never_both(self, cast: Cast) -> None:
        for used, expected in ((79, []), (80, ["cap_near"]), (99, ["cap_near"]), (100, ["cap_reached"])):
            self.use(cast, used)
            watch()
            assert [kind for kind, _ in open_ones(cast.organization)] == expected
        alert = Alert.objects.get(cleared_at=None)
        assert "100 messages is reached" in alert.text
        assert alert.link == "/messages/limits/"
        self.use(cast, 100, cap=1000)
        watch()
        assert not open_ones(cast.organization)

    def test_queue_that_waits_for_the_cap_is_not_said_twice(self, cast: Cast, connection: Connection) -> None:
        self.use(cast, 100)
        MessageFactory(
            organization=cast.organization,
            connection=connection,
            status="queued",
            due_at=timezone.now() - timedelta(minutes=11),
        )
        watch()
        assert [kind for kind, _ in open_ones(cast.organization)] == ["cap_reached"]

    def test_without_a_cap_nothing_is_near(self, cast: Cast) -> None:
        SendingPolicy.objects.create(organization=cast.organization)
        watch()
        assert not Alert.objects.exists()


class TestOldQueue:
    """Messages that could be sent and are not."""

    @pytest.fixture
    def wait(self, cast: Cast, connection: Connection) -> Callable[..., Message]:
        def make(minutes: float, **fields: object) -> Message:
            due = timezone.now() - timedelta(minutes=minutes)
            return MessageFactory(
                organization=cast.organization, connection=connection, status="queued", due_at=due, **fields
            )

        return make

    def test_ten_minutes_are_too_long(self, cast: Cast, connection: Connection, wait: Callable[..., Message]) -> None:
        wait(9)
        watch()
        assert not Alert.objects.exists()
        message = wait(11, lane=1)
        watch()
        assert open_ones(cast.organization) == [("queue_old", str(connection.pk))]
        message.delete()
        watch()
        assert not open_ones(cast.organization)

    def test_each_sender_is_looked_at(self, cast: Cast, wait: Callable[..., Message]) -> None:
        for number in range(5):
            wait(1, sender=f"+1202555012{number}", lane=number % 2)
        wait(11, sender="+12025550199")
        watch()
        assert len(open_ones(cast.organization)) == 1

    @pytest.mark.parametrize("limit", ["connection", "+12025550199"])
    def test_bulk_of_a_limited_sender_waits_for_its_turn(
        self, cast: Cast, connection: Connection, wait: Callable[..., Message], limit: str
    ) -> None:
        if limit == "connection":
            Connection.objects.update(mps=1)
        else:
            Pace.objects.create(connection=connection, sender=limit, mps=1)
        wait(30, lane=1, sender="+12025550199")
        watch()
        assert not Alert.objects.exists()
        wait(11, lane=0)
        watch()
        assert open_ones(cast.organization)

    @pytest.mark.parametrize("state", ["broken", "suspended", "later"])
    def test_what_cannot_be_sent_is_no_standing_queue(
        self, cast: Cast, wait: Callable[..., Message], state: str
    ) -> None:
        wait(-5 if state == "later" else 11)
        if state == "broken":
            Connection.objects.update(status="broken")
        elif state == "suspended":
            Organization.objects.update(status="suspended")
        watch()
        assert not Alert.objects.filter(kind="queue_old").exists()


class TestFlagged:
    """Messages that only a person can settle."""

    def test_count_is_kept_up_and_the_alert_ends_with_the_last(self, cast: Cast, connection: Connection) -> None:
        MessageFactory(organization=cast.organization, connection=connection, status="unknown")
        watch()
        assert not Alert.objects.exists()
        for _ in range(2):
            MessageFactory(organization=cast.organization, connection=connection, status="unknown", needs_person=True)
            watch()
        alert = Alert.objects.get()
        assert "2 messages need a person" in alert.text
        assert alert.link == "/messages/?status=unknown"
        Message.objects.update(needs_person=False)
        watch()
        assert not open_ones(cast.organization)


class TestRisingFailures:
    """More of one cause than before, and more than a few wrong numbers among thousands."""

    def fail(self, cast: Cast, connection: Connection, count: int, **fields: object) -> None:
        for _ in range(count):
            MessageFactory(
                organization=cast.organization,
                connection=connection,
                **{"status": "undelivered", "error_code": 30003, "finished_at": timezone.now(), **fields},
            )

    def test_ten_failures_out_of_nothing_are_news(self, cast: Cast, connection: Connection) -> None:
        self.fail(cast, connection, 9)
        self.fail(cast, connection, 9, error_code=30005)
        watch()
        assert not Alert.objects.exists()
        self.fail(cast, connection, 1)
        watch()
        watch()
        alert = Alert.objects.get()
        assert (alert.kind, alert.key) == ("failures_rising", "30003")
        assert "10 in the last 15 minutes" in alert.text
        assert "(30003). " in alert.text
        assert alert.link == "/messages/?status=undelivered"

    def test_our_own_reasons_count_as_causes(self, cast: Cast, connection: Connection) -> None:
        self.fail(cast, connection, 10, status="failed", error_code=None, error_reason="expired")
        watch()
        assert open_ones(cast.organization) == [("failures_rising", "expired")]
        assert Alert.objects.get().link == "/messages/?status=failed"

    def test_blocked_messages_are_no_failures(self, cast: Cast, connection: Connection) -> None:
        self.fail(cast, connection, 20, status="blocked", error_code=None, error_reason="opted_out")
        watch()
        assert not Alert.objects.exists()

    def test_usual_share_of_a_broadcast_is_no_news(self, cast: Cast, connection: Connection) -> None:
        self.fail(cast, connection, 12)
        for _ in range(12 * failures.SHARE):
            MessageFactory(organization=cast.organization, connection=connection, status="delivered")
        watch()
        assert not Alert.objects.exists()
        self.fail(cast, connection, 3)
        watch()
        assert open_ones(cast.organization)

    def test_what_has_been_so_for_hours_is_no_news(self, cast: Cast, connection: Connection) -> None:
        now = timezone.now()
        for quarter in range(1, 13):
            FailureCount.objects.create(
                organization=cast.organization,
                cause="30003",
                minute=now - timedelta(minutes=15 * quarter + 2),
                failed=10,
            )
        self.fail(cast, connection, 29)
        watch()
        assert not Alert.objects.exists()
        self.fail(cast, connection, 1)
        watch()
        assert open_ones(cast.organization)

    def test_alert_stays_until_it_is_over(self, cast: Cast, connection: Connection) -> None:
        self.fail(cast, connection, 10)
        watch()
        for failed, is_open in ((5, True), (4, False)):
            Message.objects.update(finished_at=timezone.now() - timedelta(hours=1))
            FailureCount.objects.all().delete()
            FailureCount.objects.create(
                organization=cast.organization, cause="30003", minute=timezone.now(), failed=failed
            )
            watch()
            assert bool(open_ones(cast.organization)) == is_open

    def test_counting_again_counts_nothing_twice_and_old_counts_go(self, cast: Cast, connection: Connection) -> None:
        FailureCount.objects.create(
            organization=cast.organization, cause="1", minute=timezone.now() - timedelta(hours=5), failed=1
        )
        self.fail(cast, connection, 3)
        failures.count_failures()
        failures.count_failures()
        assert sum(FailureCount.objects.values_list("failed", flat=True)) == 3
        self.fail(cast, connection, 2)
        failures.count_failures()
        assert sum(FailureCount.objects.values_list("failed", flat=True)) == 5


class TestFloods:
    """Several numbers are one alert; it is over when they are muted or an hour has passed."""

    def test_one_then_two_then_muted(self, cast: Cast) -> None:
        def flood(phone: str, **changes: Any) -> Conversation:
            return Conversation.objects.create(
                organization=cast.organization,
                channel="sms",
                phone=phone,
                last_is_inbound=True,
                flooded_at=timezone.now(),
                **changes,
            )

        first = flood("+4915112345678")
        flood("+4915112345679", muted_at=timezone.now())
        watch()
        alert = Alert.objects.get()
        assert alert.text.startswith("One number floods the inbox: more than 60 texts")
        assert alert.link == f"/inbox/{first.pk}/"
        flood("+4915112345670")
        watch()
        alert.refresh_from_db()
        assert alert.text.startswith("2 numbers flood the inbox")
        assert alert.link == "/inbox/"
        Conversation.objects.update(flooded_at=timezone.now() - timedelta(hours=2))
        watch()
        assert not open_ones(cast.organization)
        assert not open_ones(cast.other)
