"""Quiet hours for marketing: by the clock where the recipient is, in the statement that lets a message go."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection as database

from integrations.connections.models import Connection
from integrations.phones import parse_phone
from messaging.contacts.models import Contact
from messaging.sending.claim import claim_batch
from messaging.sending.limits import Limits
from messaging.sending.models import Message
from messaging.sending.policy import change_policy
from messaging.sending.zones import zones_of
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
Queue = Callable[..., Message]
NIGHT = (time(20), time(8))


def quiet_until(zones: str, at: datetime, window: tuple[time, time] = NIGHT) -> datetime | str | None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN isfinite(q) THEN q END, q = 'infinity' FROM messaging_quiet_until(%s, %s, %s, %s) AS q",
            [zones, *window, at],
        )
        until, is_never = cursor.fetchone()
    return "never" if is_never else until


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (utc(2026, 1, 10, 12), None),
        (utc(2026, 1, 10, 18, 59), None),
        (utc(2026, 1, 10, 19), utc(2026, 1, 11, 7)),
        (utc(2026, 1, 11, 3), utc(2026, 1, 11, 7)),
        (utc(2026, 1, 11, 7), None),
    ],
    ids=["noon", "just before", "evening", "after midnight", "morning"],
)
def test_window_over_midnight(at: datetime, until: datetime | None) -> None:
    assert quiet_until("Europe/Berlin", at) == until


def test_window_within_a_day() -> None:
    siesta = (time(13), time(16))
    assert quiet_until("Europe/Madrid", utc(2026, 1, 10, 11, 59), siesta) is None
    assert quiet_until("Europe/Madrid", utc(2026, 1, 10, 12), siesta) == utc(2026, 1, 10, 15)
    assert quiet_until("Europe/Madrid", utc(2026, 1, 10, 15), siesta) is None


def test_night_in_which_the_clock_changes_ends_at_eight_by_the_new_time() -> None:
    assert quiet_until("Europe/Berlin", utc(2026, 3, 28, 22)) == utc(2026, 3, 29, 6)
    assert quiet_until("Europe/Berlin", utc(2026, 10, 24, 22)) == utc(2026, 10, 25, 7)


def test_hour_that_does_not_exist_or_comes_twice_ends_the_window_once() -> None:
    until_half_past_two = (time(20), time(2, 30))
    # In New York 02:30 does not exist on 8 March 2026, and comes twice on 1 November.
    end = quiet_until("America/New_York", utc(2026, 3, 8, 5), until_half_past_two)
    assert end == utc(2026, 3, 8, 7, 30)
    end = quiet_until("America/New_York", utc(2026, 11, 1, 4), until_half_past_two)
    assert end in (utc(2026, 11, 1, 6, 30), utc(2026, 11, 1, 7, 30))


def test_quiet_in_any_of_the_zones_waits_for_a_time_that_suits_all() -> None:
    # Kamchatka's day ends when Bucharest's begins: both are awake from 06:00 to 08:00 UTC in winter.
    zones = "Europe/Bucharest Asia/Kamchatka"
    assert quiet_until(zones, utc(2026, 1, 10, 7)) is None
    assert quiet_until(zones, utc(2026, 1, 10, 8)) == utc(2026, 1, 11, 6)
    assert quiet_until(zones, utc(2026, 1, 10, 20)) == utc(2026, 1, 11, 6)


def test_zones_that_never_are_awake_together_are_told() -> None:
    assert quiet_until("Europe/London Pacific/Auckland", utc(2026, 1, 10, 12), (time(18), time(9))) == "never"


def test_zone_that_the_database_does_not_know_holds_nothing_up() -> None:
    assert quiet_until("Mars/Olympus Europe/Berlin", utc(2026, 1, 10, 22)) == utc(2026, 1, 11, 7)
    assert quiet_until("Mars/Olympus", utc(2026, 1, 10, 22)) is None


class TestClaim:
    """The claim puts off what comes at the wrong hour, and nothing else."""

    @pytest.fixture
    def now(self) -> datetime:
        with database.cursor() as cursor:
            cursor.execute("SELECT now()")
            moment: datetime = cursor.fetchone()[0]
        return moment

    def limits(self, cast: Cast, now: datetime) -> Limits:
        """It is quiet in UTC from an hour ago until two hours from now."""
        return Limits(
            organization_id=cast.organization.pk,
            zone="UTC",
            is_quiet=True,
            quiet_from=(now - timedelta(hours=1)).time(),
            quiet_until=(now + timedelta(hours=2)).time(),
        )

    def claim(self, connection: Connection, limits: Limits) -> list[Any]:
        sender = connection.messaging_service_sid
        return [one.id for one in claim_batch(connection.pk, sender=sender, lane=0, limit=9, limits=limits).messages]

    def test_marketing_waits_until_the_night_is_over_and_its_life_with_it(
        self, cast: Cast, queue: Queue, sandbox_connection: Connection, now: datetime, consented: Callable[..., None]
    ) -> None:
        message = queue(purpose="marketing", time_zones="UTC", due_at=now)
        consented(message)
        limits = self.limits(cast, now)
        assert self.claim(sandbox_connection, limits) == []
        waiting = Message.objects.get(pk=message.pk)
        assert (waiting.status, waiting.error_reason, waiting.attempts) == ("queued", "quiet_hours", 0)
        assert waiting.due_at == now + timedelta(hours=2)
        assert waiting.valid_until - message.valid_until == timedelta(hours=2)
        assert list(waiting.events.values_list("status", "note")) == [("queued", "quiet_hours")]
        assert self.claim(sandbox_connection, limits) == []

    def test_other_purposes_and_other_zones_go(
        self, cast: Cast, queue: Queue, sandbox_connection: Connection, now: datetime, consented: Callable[..., None]
    ) -> None:
        awake = queue(purpose="marketing", time_zones="Etc/GMT+5", due_at=now)
        parcel, code = (queue(purpose=one, time_zones="UTC", due_at=now) for one in ("transactional", "verification"))
        consented(awake)
        assert set(self.claim(sandbox_connection, self.limits(cast, now))) == {awake.pk, parcel.pk, code.pk}

    def test_without_a_known_zone_the_organizations_counts(
        self, cast: Cast, queue: Queue, sandbox_connection: Connection, now: datetime, consented: Callable[..., None]
    ) -> None:
        consented(queue(purpose="marketing", due_at=now))
        assert self.claim(sandbox_connection, self.limits(cast, now)) == []
        assert Message.objects.get().error_reason == "quiet_hours"

    def test_switching_quiet_hours_off_lets_go_what_waits(
        self, cast: Cast, queue: Queue, sandbox_connection: Connection, now: datetime, consented: Callable[..., None]
    ) -> None:
        message = queue(purpose="marketing", time_zones="UTC", due_at=now)
        consented(message)
        change_policy(cast.organization, values={"is_quiet": True}, actor=None)
        self.claim(sandbox_connection, self.limits(cast, now))
        change_policy(cast.organization, values={"is_quiet": False}, actor=None)
        assert Message.objects.get().due_at < now + timedelta(hours=1)
        Message.objects.update(due_at=now)  # within a test's one transaction time stands still
        assert self.claim(sandbox_connection, Limits()) == [message.pk]
        message.refresh_from_db()
        assert message.error_reason == "", "what held it up is no reason any more"


@pytest.fixture
def consented(cast: Cast) -> Callable[..., None]:
    from messaging.consent.ledger import Entry, record_consent

    def agree(message: Message) -> None:
        record_consent(
            cast.organization,
            Entry(phone=message.phone, action="granted", source="staff", purpose="marketing", reason="asked for it"),
        )

    return agree


class TestZones:
    """Where a number may be."""

    @pytest.mark.parametrize(
        ("number", "zones"),
        [
            ("+4915112345678", {"Europe/Berlin"}),
            ("+12125551234", {"America/New_York"}),
            ("+79161234567", {"Europe/Bucharest", "Asia/Anadyr"}),
            ("+390612345678", {"Europe/Rome"}),
        ],
    )
    def test_number_tells_its_zone_or_the_outermost_of_its_country(self, number: str, zones: set[str]) -> None:
        found = zones_of(parse_phone(number, region=None), contact=None).split()
        assert zones <= set(found)
        assert len(found) <= 4

    def test_zone_of_the_contact_is_believed(self) -> None:
        contact = Contact(phone="+79161234567")
        contact.time_zone = "Asia/Omsk"
        assert zones_of(parse_phone("+79161234567", region=None), contact=contact) == "Asia/Omsk"
        contact.time_zone = "Nowhere/Land"
        assert "Asia/Anadyr" in zones_of(parse_phone("+79161234567", region=None), contact=contact)

    def test_number_of_no_country_has_none(self) -> None:
        assert zones_of(parse_phone("+80012345678", region=None), contact=None) == ""
