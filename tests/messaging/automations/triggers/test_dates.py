"""Dates that contacts carry: on their clocks, once for each date, late but not lost, and many at one minute."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from messaging.automations.base import Start
from messaging.automations.models import Automation, Run
from messaging.automations.registry import trigger_of
from messaging.automations.starting import start_runs
from messaging.automations.triggers import dates
from messaging.automations.triggers.dates import Rule
from messaging.automations.triggers.wall_clock import moment_of
from messaging.contacts.models import AttributeDefinition, Contact
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import Listening, describe, wrong

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 4, 28, 7, tzinfo=UTC)  # 09:00 in Berlin, 1 May is three days later
BEFORE = {"attribute": "due", "amount": 3, "unit": "days", "direction": "before", "at": "09:00"}


@pytest.fixture(autouse=True)
def kept(cast: Cast) -> None:
    cast.organization.time_zone = "Europe/Berlin"
    cast.organization.save()
    for key, kind in (("due", "date"), ("visit", "moment"), ("note", "text"), ("points", "number")):
        AttributeDefinition.objects.create(organization=cast.organization, key=key, label=key.title(), kind=kind)


def person(cast: Cast, zone: str = "Europe/Berlin", **attributes: Any) -> Contact:
    return ContactFactory(organization=cast.organization, time_zone=zone, attributes=attributes)


def look(automation: Automation, now: datetime, *, since: datetime | None = None) -> list[Start]:
    """Look as the task does, up to a moment, and begin the runs; return what was found."""
    now -= dates.AHEAD
    automation.refresh_from_db()
    if since is not None:
        automation.looked_until = since
    trigger = trigger_of(automation.live.flow["trigger"]["kind"])
    assert trigger is not None
    starts, again = trigger.look(automation, automation.live.flow["trigger"]["settings"], now=now)
    assert again is not None and again - now <= timedelta(minutes=1)
    automation.save(update_fields=["looked_until"])
    start_runs(automation, starts)
    return starts


def test_it_is_due_once_at_its_minute_and_with_its_date(cast: Cast, listening: Listening) -> None:
    automation, contact = listening("contact_date", **BEFORE), person(cast, due="2026-05-01")
    ContactFactory(organization=cast.other, attributes={"due": "2026-05-01"})
    assert look(automation, NINE - timedelta(minutes=1), since=NINE - timedelta(hours=1)) == []
    (start,) = look(automation, NINE)
    assert start.due_at == NINE  # stored a minute ahead
    assert (start.contact_id, start.data["date"], start.data["is_late"]) == (contact.pk, "2026-05-01", False)
    assert look(automation, NINE + timedelta(minutes=1)) == []
    assert Run.objects.count() == 1


def test_each_clock_counts_and_the_number_where_none_is_known(cast: Cast, listening: Listening) -> None:
    automation = listening("contact_date", **BEFORE)
    person(cast, "Asia/Tokyo", due="2026-05-01")
    unknown = person(cast, "", due="2026-05-01")
    Contact.objects.filter(pk=unknown.pk).update(phone="+81312345678")
    person(cast, "America/New_York", due="2026-05-01")
    assert len(look(automation, datetime(2026, 4, 28, 0, tzinfo=UTC), since=NINE - timedelta(hours=12))) == 2
    assert len(look(automation, NINE)) == 0
    assert len(look(automation, datetime(2026, 4, 28, 13, tzinfo=UTC))) == 1


def test_a_changed_date_counts_anew_and_a_late_one_for_an_hour(cast: Cast, listening: Listening) -> None:
    automation, contact = listening("contact_date", **BEFORE), person(cast, due="2026-05-01")
    look(automation, NINE, since=NINE - timedelta(hours=2))
    contact.attributes = {"due": "2026-05-02"}
    contact.save()
    day = timedelta(days=1)
    look(automation, NINE + day - timedelta(minutes=1))
    (start,) = look(automation, NINE + day)
    assert start.data["date"] == "2026-05-02"
    late, too_late = person(cast), person(cast)
    Contact.objects.filter(pk=late.pk).update(attributes={"due": "2026-05-02"})
    (start,) = look(automation, NINE + day + timedelta(minutes=50))
    assert start.contact_id == late.pk and start.data["is_late"]
    look(automation, NINE + day + timedelta(minutes=70))
    Contact.objects.filter(pk=too_late.pk).update(attributes={"due": "2026-05-02"})
    assert look(automation, NINE + day + timedelta(minutes=130)) == []


def test_what_was_due_while_nothing_ran_is_made_up_and_what_was_due_before_publishing_is_not(
    cast: Cast, listening: Listening
) -> None:
    automation = listening("contact_date", **BEFORE)
    person(cast, due="2026-05-01")
    assert len(look(automation, NINE + timedelta(hours=5), since=NINE - timedelta(minutes=1))) == 1
    person(cast, due="2026-05-02")
    assert look(automation, NINE + timedelta(days=3), since=NINE) == []  # two days late is too late
    other = listening("contact_date", **BEFORE)
    assert look(other, NINE + timedelta(minutes=5), since=NINE + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("value", "rule", "due"),
    [
        # 24 hours before a moment on the contact's clock, also across the night in which clocks go forward
        ("2026-05-01T14:30", {"minutes": -1440}, "2026-04-30T12:30"),
        ("2026-03-29T14:30", {"minutes": -1440}, "2026-03-28T12:30"),
        ("2026-03-29T14:30", {"days": -1}, "2026-03-28T13:30"),
        ("2026-05-01T14:30+00:00", {"minutes": -60}, "2026-05-01T13:30"),
        ("2026-05-01T14:30", {"days": -1, "at": "18:00"}, "2026-04-30T16:00"),
        ("2026-05-01", {"days": -3, "at": "09:00"}, "2026-04-28T07:00"),
        ("2026-05-01", {"at": "09:00"}, "2026-05-01T07:00"),
        ("2026-05-01", {"minutes": -120, "at": "09:00"}, "2026-05-01T05:00"),
        # 02:30 happens twice on 25 October, and never on 29 March
        ("2026-10-25", {"at": "02:30"}, "2026-10-25T00:30"),
        ("2026-03-29", {"at": "02:30"}, "2026-03-29T01:00"),
        ("soon", {}, None),
        ("2026-02-31", {"at": "09:00"}, None),
        ("0001-01-01", {"days": -3, "at": "09:00"}, None),
    ],
)
def test_when_a_value_is_due(value: str, rule: dict[str, Any], due: str | None) -> None:
    at = datetime.strptime(rule.pop("at"), "%H:%M").time() if "at" in rule else None  # noqa: DTZ007 - a time of day
    found = Rule(attribute="x", at=at, **rule).due(value, "Europe/Berlin")
    assert found == (datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None)


def test_a_day_that_a_place_left_out_is_followed_by_the_next() -> None:
    # Samoa went from 29 to 31 December 2011.
    left_out = datetime(2011, 12, 30, 9)  # noqa: DTZ001 - on the wall
    assert moment_of(left_out, "Pacific/Apia") == datetime(2011, 12, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize("key", ["visit", "note"])
@pytest.mark.parametrize("value", ["2026-05-01T14:30", "2026-05-01T14:30+02:00", "2026-05-01T12:30Z"])
def test_moments_are_found_by_value_whatever_their_writing(
    cast: Cast, listening: Listening, key: str, value: str
) -> None:
    automation = listening("contact_date", attribute=key, amount=24, unit="hours", direction="before")
    person(cast, **{key: value})
    person(cast, **{key: "2026-05-01T14:31"})
    (start,) = look(automation, datetime(2026, 4, 30, 12, 30, tzinfo=UTC), since=datetime(2026, 4, 30, 12, tzinfo=UTC))
    assert start.data["time"] == "14:30"


def test_ten_thousand_at_one_minute_are_one_query(
    cast: Cast, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    automation = listening("contact_date", **BEFORE)
    Contact.objects.bulk_create(
        Contact(organization=cast.organization, phone=f"+4930{number:08d}", attributes={"due": "2026-05-01"})
        for number in range(10_000)
    )
    trigger = trigger_of("contact_date")
    assert trigger is not None
    automation.looked_until = NINE - timedelta(minutes=1)
    settings = automation.live.flow["trigger"]["settings"]
    with CaptureQueriesContext(database) as queries:
        starts, again = trigger.look(automation, settings, now=NINE)
    assert len(starts) == dates.MOST_AT_ONCE and again == NINE  # the others at once after these
    assert len(queries) <= 3  # the organization, the attribute, and who is due
    assert automation.looked_until == NINE - timedelta(minutes=1)


def test_the_index_of_moments_is_used(cast: Cast) -> None:
    values = {
        "organization": cast.organization.pk, "automation": cast.organization.pk, "key": "visit",
        "days": ["2026-05-01", "2026-05-02"], "longest": 64,
    }  # fmt: skip
    # So many that it matters which index is taken.
    Contact.objects.bulk_create(
        Contact(organization=cast.organization, phone=f"+4915700{number:06d}") for number in range(2_000)
    )
    with database.cursor() as cursor:
        cursor.execute("ANALYZE messaging_contact")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("EXPLAIN " + dates._DUE.replace("{fits}", dates._AS_MOMENTS), values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "contact_by_moment" in plan, plan
        fits = "c.attributes @> jsonb_build_object(%(key)s::text, (%(days)s::text[])[1])"
        cursor.execute("EXPLAIN " + dates._DUE.replace("{fits}", fits), values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "contact_by_attribute" in plan, plan


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose a date"), ({"attribute": "points", "amount": 1, "unit": "days", "direction": "before"}, "no date"),
        ({**BEFORE, "at": ""}, "no time of day"), ({**BEFORE, "at": "25:00"}, "time"), ({**BEFORE, "amount": -1}, "0"),
        ({**BEFORE, "amount": 400}, "At most 366 days"), ({**BEFORE, "unit": "years"}, "years"),
        ({**BEFORE, "attribute": "visit", "unit": "hours"}, "a time of its own"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused(cast: Cast, given: dict[str, Any], words: str) -> None:
    found = wrong(cast, "contact_date", **given)
    assert any(words in text for text in found), found


def test_it_says_itself_in_words(cast: Cast) -> None:
    assert describe(cast, "contact_date", **BEFORE) == "3 days before Due at 09:00"
    assert describe(cast, "contact_date", attribute="visit", amount=1, unit="hours", direction="after") == (
        "1 hour after Visit"
    )


def test_an_archived_attribute_is_named(cast: Cast) -> None:
    AttributeDefinition.objects.filter(key="due").update(archived_at=NINE)
    assert "archived" in wrong(cast, "contact_date", **BEFORE)[0]
