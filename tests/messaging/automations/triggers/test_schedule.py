"""Schedules: said as people say them, kept by the organization's clock, made up once where they were missed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from messaging.automations import looking
from messaging.automations.base import Scope, Start
from messaging.automations.models import Automation, Run
from messaging.automations.publishing import pause, publish, resume
from messaging.automations.registry import trigger_of
from messaging.automations.starting import start_runs
from messaging.automations.triggers import timetable
from tests.conftest import Cast

from .conftest import Listening, describe, wrong

pytestmark = pytest.mark.django_db

DAILY = {"every": "day", "at": "09:00"}


@pytest.fixture(autouse=True)
def in_berlin(cast: Cast) -> None:
    cast.organization.time_zone = "Europe/Berlin"
    cast.organization.save()


def look(
    automation: Automation, now: datetime, *, since: datetime | None = None
) -> tuple[list[Start], datetime | None]:
    automation.refresh_from_db()
    automation.looked_until = since or automation.looked_until
    trigger = trigger_of("schedule")
    assert trigger is not None
    starts, again = trigger.look(automation, automation.live.flow["trigger"]["settings"], now=now)
    automation.save(update_fields=["looked_until"])
    start_runs(automation, starts)
    return starts, again


def following(settings: dict[str, Any], after: str, count: int = 3) -> list[str]:
    found = timetable.times(settings, zone="Europe/Berlin", after=datetime.fromisoformat(after).replace(tzinfo=UTC))
    return [f"{next(found).astimezone(UTC):%m-%d %H:%M}" for _ in range(count)]


@pytest.mark.parametrize(
    ("given", "words", "times"),
    [
        (DAILY, "Every day at 09:00", ["04-30 07:00", "05-01 07:00", "05-02 07:00"]),
        ({"every": "weekdays", "at": "18:30"}, "Monday to Friday at 18:30",
         ["04-29 16:30", "04-30 16:30", "05-01 16:30"]),
        ({"every": "week", "days": ["1", "4"], "at": "09:00"}, "Every Monday and Thursday at 09:00",
         ["04-30 07:00", "05-04 07:00", "05-07 07:00"]),
        ({"every": "month", "day": 1, "at": "09:00"}, "On day 1 of each month at 09:00",
         ["05-01 07:00", "06-01 07:00", "07-01 07:00"]),
        ({"every": "last_day", "at": "09:00"}, "On the last day of each month at 09:00",
         ["04-30 07:00", "05-31 07:00", "06-30 07:00"]),
        ({"every": "hours", "hours": 6}, "Every 6 hours", ["04-29 16:00", "04-29 22:00", "04-30 04:00"]),
        ({"every": "minutes", "minutes": 15}, "Every 15 minutes", ["04-29 12:15", "04-29 12:30", "04-29 12:45"]),
        ({"every": "cron", "cron": "0 9 * * 1"}, "At 09:00 on Monday", ["05-04 07:00", "05-11 07:00", "05-18 07:00"]),
    ],
)  # fmt: skip
def test_what_people_say_is_kept(cast: Cast, given: dict[str, Any], words: str, times: list[str]) -> None:
    assert wrong(cast, "schedule", **given) == []
    assert describe(cast, "schedule", **given) == words
    assert following(given, "2026-04-29T12:00") == times


def test_a_time_that_happens_twice_counts_once_and_one_that_never_does_a_little_later() -> None:
    settings = {"every": "day", "at": "02:30"}
    assert following(settings, "2026-10-24T12:00", 2) == ["10-25 00:30", "10-26 01:30"]
    assert following(settings, "2026-03-28T12:00", 2) == ["03-29 01:00", "03-30 00:30"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "at which time"), ({"every": "day"}, "at which time"), ({"every": "week", "at": "09:00"}, "on which days"),
        ({"every": "month", "at": "09:00", "day": 32}, "31"), ({"every": "minutes", "minutes": 1}, "1"),
        ({"every": "cron", "cron": "0 0 31 2 *"}, "never happens"),
        ({"every": "cron", "cron": "* * * * *"}, "too often"),
        ({"every": "cron", "cron": "0,2 9 * * *"}, "too often"), ({"every": "cron", "cron": "every day"}, "five words"),
        ({"every": "cron", "cron": "0 9 * * MON-XYZ"}, "not a schedule"),
        ({"every": "cron", "cron": "61 9 * * *"}, "minute"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(cast: Cast, given: dict[str, Any], words: str) -> None:
    found = wrong(cast, "schedule", **given)
    assert any(words in text for text in found), found


def test_it_begins_one_run_at_its_time_and_looks_again_at_the_next(cast: Cast, listening: Listening) -> None:
    automation = listening("schedule", **DAILY)
    assert automation.next_look_at is not None and automation.next_look_at.minute == 0
    nine = datetime(2026, 4, 29, 7, tzinfo=UTC)
    starts, again = look(automation, nine - timedelta(seconds=1), since=nine - timedelta(hours=1))
    assert starts == [] and again == nine
    (start,), again = look(automation, nine)
    assert start.data["time"] == "09:00" and start.data["weekday"] == "Wednesday" and not start.data["is_late"]
    assert again == nine + timedelta(days=1)
    assert look(automation, nine + timedelta(seconds=1))[0] == []
    assert Run.objects.get().contact is None


def test_missed_times_are_made_up_once_and_not_after_a_day(cast: Cast, listening: Listening) -> None:
    automation = listening("schedule", every="hours", hours=1)
    start = datetime(2026, 4, 29, 7, tzinfo=UTC)
    (made,), _ = look(automation, start + timedelta(hours=3, minutes=30), since=start)
    assert made.data["is_late"] and made.data["missed"] == 2 and made.data["time"] == "12:00"
    automation = listening("schedule", **DAILY)
    assert look(automation, start + timedelta(days=3, hours=-1), since=start)[0][0].data["date"] == "2026-05-01"
    monthly = listening("schedule", every="month", day=1, at="09:00")
    assert look(monthly, datetime(2026, 5, 9, tzinfo=UTC), since=start)[0] == []


def test_publishing_again_loses_no_time_and_pausing_does(cast: Cast, listening: Listening) -> None:
    automation = listening("schedule", **DAILY)
    looked = datetime(2026, 4, 29, 6, 59, tzinfo=UTC)
    Automation.objects.filter(pk=automation.pk).update(looked_until=looked)
    publish(automation, actor=cast.owner)
    assert automation.looked_until == looked
    pause(automation, actor=cast.owner)
    resume(automation, actor=cast.owner)
    assert automation.looked_until is not None and automation.looked_until > looked


def test_the_next_three_times_are_shown(cast: Cast) -> None:
    trigger = trigger_of("schedule")
    assert trigger is not None
    (note,) = trigger.notes(Scope(cast.organization), DAILY)
    assert note.count("09:00") == 3 and "Europe/Berlin" in note
    assert list(trigger.notes(Scope(cast.organization), {"every": "cron", "cron": "x"})) == []
    assert [field.path for field in trigger.fields(Scope(cast.organization), {})][:2] == [
        "trigger.scheduled_for",
        "trigger.date",
    ]
    assert not trigger.brings_contact({})


def test_the_task_looks_at_what_is_due_and_at_nothing_of_a_suspended_organization(
    cast: Cast, listening: Listening
) -> None:
    automation, theirs = (
        listening("schedule", every="minutes", minutes=5),
        listening("schedule", by="stranger", **DAILY),
    )
    type(cast.other).objects.filter(pk=cast.other.pk).update(status="suspended")
    Automation.objects.update(next_look_at=Now(), looked_until=Now() - timedelta(minutes=6))
    assert looking.look_all() == 1
    automation.refresh_from_db()
    assert automation.next_look_at is not None and automation.next_look_at > timezone.now() - timedelta(seconds=1)
    assert [run.automation for run in Run.objects.all()] == [automation] and theirs.runs.count() == 0
    assert looking.look_all() == 0
