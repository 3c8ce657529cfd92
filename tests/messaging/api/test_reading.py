"""GET and cancel of messages: the shape in every state, pages, filters, strangers."""

import base64
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.sending.models import Message, MessageEvent
from messaging.sending.statuses import Status
from messaging.templates.wording import create_template
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

from .conftest import Caller, field_of, problem_of

OURS = "+12125550100"


def test_a_delivered_message(api: Caller, connection: Connection) -> None:
    message = MessageFactory(
        organization=connection.organization,
        connection=connection,
        status=Status.DELIVERED,
        provider_sid="SM" + "0" * 32,
        price=Decimal("0.09"),
        price_unit="USD",
        attempts=1,
        handed_over_at=timezone.now(),
        finished_at=timezone.now(),
    )
    for status, source in (("queued", "intake"), ("accepted", "engine"), ("delivered", "callback")):
        MessageEvent.objects.create(message=message, status=status, source=source)
    told = api.get(f"messages/{message.pk}").json()
    assert told["provider_sid"] == "SM" + "0" * 32
    assert (told["price"], told["price_unit"], told["attempts"], told["error"]) == ("0.09000", "USD", 1, None)
    assert told["handed_over_at"] and told["finished_at"]
    assert [(event["status"], event["source"]) for event in told["events"]] == [
        ("queued", "intake"),
        ("accepted", "engine"),
        ("delivered", "callback"),
    ]


def test_a_failed_message_says_why(api: Caller, connection: Connection) -> None:
    message = MessageFactory(
        organization=connection.organization, connection=connection, status=Status.UNDELIVERED, error_code=30034
    )
    MessageEvent.objects.create(message=message, status="undelivered", source="callback", error_code=30034)
    told = api.get(f"messages/{message.pk}").json()
    assert told["error"]["code"] == "30034"
    assert told["error"]["title"] and told["error"]["remedy"]
    assert told["events"][0]["error_code"] == 30034


def test_an_inbound_message_comes_from_the_person(api: Caller, connection: Connection) -> None:
    message = MessageFactory(
        organization=connection.organization,
        connection=connection,
        direction="inbound",
        status=Status.RECEIVED,
        phone="+4915112345678",
        sender=OURS,
        encoding="",
    )
    told = api.get(f"messages/{message.pk}").json()
    assert (told["from"], told["to"], told["status"]) == ("+4915112345678", OURS, "received")
    assert told["encoding"] is None


def test_strangers_and_unknown_ids_get_404(api: Caller, stranger: Caller, connection: Connection) -> None:
    message = MessageFactory(organization=connection.organization, connection=connection)
    problem_of(stranger.get(f"messages/{message.pk}"), 404, "not_found")
    problem_of(stranger.post(f"messages/{message.pk}/cancel"), 404, "not_found")
    problem_of(api.get(f"messages/{uuid.uuid4()}"), 404, "not_found")
    problem_of(api.get("messages/17"), 404, "not_found")
    message.refresh_from_db()
    assert message.status == Status.QUEUED
    assert stranger.get("messages").json() == {"items": [], "next": None}


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SCHEDULED])
def test_cancel(api: Caller, connection: Connection, status: str) -> None:
    message = MessageFactory(organization=connection.organization, connection=connection, status=status)
    told = api.post(f"messages/{message.pk}/cancel")
    assert told.status_code == 200
    assert told.json()["status"] == "canceled"
    assert told.json()["events"][-1]["source"] == "api"
    again = api.post(f"messages/{message.pk}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "canceled")
    assert MessageEvent.objects.filter(message=message).count() == 1


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.UNKNOWN, Status.DELIVERED, Status.BLOCKED])
def test_what_left_cannot_be_canceled(api: Caller, connection: Connection, status: str) -> None:
    message = MessageFactory(organization=connection.organization, connection=connection, status=status)
    problem_of(api.post(f"messages/{message.pk}/cancel"), 409, "not_cancelable")
    message.refresh_from_db()
    assert message.status == status


# ---- the list


def test_pages_newest_first_without_gaps_or_doubles(api: Caller, connection: Connection) -> None:
    made = [MessageFactory(organization=connection.organization, connection=connection) for _ in range(7)]
    expected = [str(message.pk) for message in reversed(made)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        told = api.get(f"messages?limit=3&cursor={cursor}").json()
        assert told.keys() == {"items", "next"}
        assert len(told["items"]) <= 3
        seen += [item["id"] for item in told["items"]]
        cursor = told["next"]
        # What comes in between does not move the pages that follow.
        MessageFactory(organization=connection.organization, connection=connection)
    assert seen == expected


def test_the_last_page_has_no_next(api: Caller, connection: Connection) -> None:
    for _ in range(3):
        MessageFactory(organization=connection.organization, connection=connection)
    assert api.get("messages?limit=3").json()["next"] is None


@pytest.mark.parametrize("writing", ["+4915112345678", "%2B4915112345678", "0151 12345678", "004915112345678"])
def test_find_by_number_in_any_writing(api: Caller, connection: Connection, writing: str) -> None:
    there = {"organization": connection.organization, "connection": connection}
    wanted = MessageFactory(phone="+4915112345678", **there)
    MessageFactory(phone="+4915112345679", **there)
    MessageFactory(phone="+4915112345678", direction="inbound", status="received", sender=OURS, **there)
    told = api.get(f"messages?to={writing}").json()
    assert [item["id"] for item in told["items"]] == [str(wanted.pk)]


def test_find_what_arrived_at_our_number(api: Caller, connection: Connection) -> None:
    there = {"organization": connection.organization, "connection": connection}
    wanted = MessageFactory(phone="+4915112345678", direction="inbound", status="received", sender=OURS, **there)
    MessageFactory(phone=OURS, **there)
    told = api.get(f"messages?direction=inbound&to={OURS}").json()
    assert [item["id"] for item in told["items"]] == [str(wanted.pk)]


def test_filter_by_status_and_direction(api: Caller, connection: Connection) -> None:
    there = {"organization": connection.organization, "connection": connection}
    failed = MessageFactory(status=Status.FAILED, error_code=30008, **there)
    received = MessageFactory(status=Status.RECEIVED, direction="inbound", **there)
    MessageFactory(**there)
    assert [item["id"] for item in api.get("messages?status=failed").json()["items"]] == [str(failed.pk)]
    assert [item["id"] for item in api.get("messages?direction=inbound").json()["items"]] == [str(received.pk)]
    assert api.get("messages?direction=inbound&status=failed").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "too_small"),
        ("limit=201", "limit", "too_large"),
        ("limit=x", "limit", "not_a_number"),
        ("limit=" + "9" * 400, "limit", "too_large"),
        ("status=lost", "status", "not_a_choice"),
        ("direction=up", "direction", "not_a_choice"),
        ("to=hello", "to", "not_a_number"),
        ("to=%00", "to", "bad_characters"),
        ("to=" + "1" * 100, "to", "too_long"),
        ("statu=failed", "statu", "unknown_parameter"),
        ("status=failed&status=sent", "status", "repeated"),
        ("cursor=nonsense", "cursor", "bad_cursor"),
        ("cursor=%ff%fe", "cursor", "bad_cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"\x02" + b"0" * 16).decode(), "cursor", "bad_cursor"),
        ("cursor=" + "A" * 65, "cursor", "too_long"),
    ],
)
def test_bad_queries_name_their_field(api: Caller, query: str, field: str, code: str) -> None:
    assert field_of(api.get(f"messages?{query}")) == (field, code)


def test_the_list_costs_the_same_for_many(api: Caller, cast: Cast, connection: Connection) -> None:
    template = create_template(cast.organization, name="Late", body="Late", actor=cast.owner)

    def add(count: int) -> None:
        for _ in range(count):
            message = MessageFactory(
                organization=cast.organization,
                connection=connection,
                template=template,
                template_version=template.current,
                contact=ContactFactory(organization=cast.organization),
            )
            MessageEvent.objects.create(message=message, status="queued", source="intake")

    add(2)
    api.get("messages")  # notes the use of the key, once a minute
    with CaptureQueriesContext(database) as few:
        api.get("messages")
    add(20)
    with CaptureQueriesContext(database) as many:
        assert len(api.get("messages").json()["items"]) == 22
    assert len(many) == len(few) == 3  # the key, the messages, their events


def test_a_page_of_a_number_is_read_from_its_index(api: Caller, connection: Connection) -> None:
    rows = [
        Message(
            organization=connection.organization,
            connection=connection,
            phone=f"+49151{number:08d}",
            valid_until=timezone.now() + timedelta(hours=1),
        )
        for number in range(2000)
    ]
    Message.objects.bulk_create(rows)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
    with CaptureQueriesContext(database) as queries:
        assert len(api.get("messages?to=+4915100000007").json()["items"]) == 1
    (asked,) = [query["sql"] for query in queries if '"phone" =' in query["sql"]]
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "message_log_by_phone" in plan
    assert "Seq Scan on messaging_message" not in plan
