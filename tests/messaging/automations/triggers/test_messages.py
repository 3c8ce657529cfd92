"""Texts that come in, and what became of those that went out."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.happenings.models import Happening
from messaging.inbound.receive import receive
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from messaging.sending.statuses import Status
from messaging.sending.transitions import Move, advance_one
from messaging.templates.models import Template
from tests.conftest import Cast
from tests.factories import ConnectionFactory, ContactFactory, MessageFactory

from .conftest import Listening, begun, describe, wrong

pytestmark = pytest.mark.django_db

_sids = iter(range(10_000))


def writes(connection: Connection, body: str, *, number: str = "+4915112345678") -> None:
    params = {
        "MessageSid": f"SM{next(_sids):032x}",
        "From": number,
        "To": "+4930654321",
        "Body": body,
        "AccountSid": connection.account_sid,
    }
    callback = Callback.objects.create(connection=connection, kind=Callback.Kind.INBOUND, params=params)
    assert receive(callback) == Callback.Outcome.APPLIED


def test_any_text_sets_it_off_with_its_words_and_number(
    cast: Cast, connection: Connection, listening: Listening
) -> None:
    automation, theirs = listening("message_received"), listening("message_received", by="stranger")
    writes(connection, "Hello there")
    (data,) = begun(automation)
    assert (data["text"], data["word"], data["phone"], data["to"]) == (
        "Hello there",
        "",
        "+4915112345678",
        "+4930654321",
    )
    assert automation.runs.get().contact.phone == "+4915112345678"
    assert begun(automation) == [data] and begun(theirs) == []


@pytest.mark.parametrize("word", ["STOP", "start", "Help", "Unsubscribe"])
def test_stop_start_and_help_never_set_it_off(connection: Connection, listening: Listening, word: str) -> None:
    automation = listening("message_received")
    writes(connection, word)
    assert begun(automation) == []


@pytest.mark.parametrize(
    ("match", "body", "word"),
    [
        ("exact", " Menü! ", "menu"), ("exact", "menu please", None), ("starts", "Menu please", "menu"),
        ("contains", "the price?", "price"), ("contains", "priceless", None),
    ],
)  # fmt: skip
def test_words_are_found_as_rules_of_the_inbox_find_them(
    connection: Connection, listening: Listening, match: str, body: str, word: str | None
) -> None:
    automation = listening("message_received", match=match, words="Menü, price")
    writes(connection, body)
    assert [data["word"] for data in begun(automation)] == ([] if word is None else [word])


def test_who_writes_faster_than_a_person_sets_nothing_off(connection: Connection, listening: Listening) -> None:
    automation = listening("message_received")
    for number in range(14):
        writes(connection, f"robot {number}")
    assert Happening.objects.filter(kind="message.received").count() == 10
    begun(automation)
    assert automation.runs.count() == 10


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"match": "exact"}, "Write the words"), ({"match": "exact", "words": "stop"}, "opting out"),
        ({"match": "exact", "words": ",".join(f"w{n}" for n in range(60))}, "At most 50"),
        ({"match": "sounds_like", "words": "x"}, "sounds_like"),
    ],
)  # fmt: skip
def test_bad_words_are_refused(cast: Cast, given: dict[str, Any], words: str) -> None:
    assert words in wrong(cast, "message_received", **given)[0]
    assert wrong(cast, "message_received") == []


def sent(cast: Cast, connection: Connection, **values: Any) -> Message:
    return MessageFactory(
        organization=cast.organization,
        connection=connection,
        status=Status.SENT,
        provider_sid=f"SM{next(_sids):032x}",
        phone="+4915112345678",
        **values,
    )


def ends(message: Message, status: str, code: int | None = None) -> None:
    assert advance_one(Move(message_id=message.pk, to=Status(status), source="callback", error_code=code))


def test_a_failure_brings_its_code_in_words(cast: Cast, connection: Connection, listening: Listening) -> None:
    automation, others = listening("message_failed"), listening("message_failed", codes="30005")
    template = Template.objects.create(organization=cast.organization, name="Reminder")
    contact = ContactFactory(organization=cast.organization)
    ends(sent(cast, connection, template=template, contact=contact), "undelivered", 30003)
    (data,) = begun(automation)
    assert (data["to"], data["template"], data["status"]) == ("+4915112345678", "Reminder", "undelivered")
    assert data["error_code"] == 30003 and data["error_title"] and data["error_remedy"]
    assert automation.runs.get().contact == contact
    assert begun(automation) == [data] and begun(others) == []


def test_only_deliveries_of_the_chosen_template_are_meant(
    cast: Cast, connection: Connection, listening: Listening
) -> None:
    template = Template.objects.create(organization=cast.organization, name="Reminder")
    automation = listening("message_delivered", template=str(template.pk))
    for values in ({"template": template}, {}):
        ends(sent(cast, connection, **values), "delivered")
    elsewhere = ConnectionFactory(organization=cast.other)
    ends(
        MessageFactory(
            organization=cast.other, connection=elsewhere, status=Status.SENT, provider_sid=f"SM{next(_sids):032x}"
        ),
        "delivered",
    )
    assert [data["template"] for data in begun(automation)] == ["Reminder"]
    assert describe(cast, "message_delivered", template=str(template.pk)) == "When a message of Reminder is delivered"


def test_codes_of_verification_are_nobodys_errand(cast: Cast, connection: Connection, listening: Listening) -> None:
    automation = listening("message_delivered")
    ends(sent(cast, connection, purpose=Message.Purpose.VERIFICATION), "delivered")
    assert begun(automation) == []


def test_many_outcomes_read_their_messages_at_once(
    cast: Cast, connection: Connection, listening: Listening, django_assert_max_num_queries: Any
) -> None:
    automation = listening("message_delivered")
    for _ in range(9):
        ends(sent(cast, connection), "delivered")
    with django_assert_max_num_queries(20):
        assert len(begun(automation)) == 9


def test_bad_codes_and_templates_are_refused(cast: Cast) -> None:
    assert "five digits" in wrong(cast, "message_failed", codes="30003, 12")[0]
    assert "deleted" in wrong(cast, "message_delivered", template="019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e")[0]
    assert "deleted" in wrong(cast, "message_delivered", template="nonsense")[0]
