"""Incoming messages and their keywords."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connections
from django.utils import timezone

from integrations.connections.models import Connection
from messaging.consent.ledger import state_of
from messaging.consent.models import OptOut
from messaging.contacts.models import Contact
from messaging.inbound import receive as receiving
from messaging.inbox.arrivals import Arrival
from messaging.receipts.models import Callback
from messaging.receipts.tasks import apply_pending
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from tests.messaging.receipts.conftest import Post, post_hook  # noqa: F401

pytestmark = pytest.mark.django_db
PERSON = "+4915112345678"


@pytest.fixture
def text(connection: Connection, post_hook: Post) -> Post:  # noqa: F811
    """Let the person write to us: `text("STOP")`."""

    def post(body: str, *, sid: str = "SM" + "1" * 32, sender: str = PERSON, **params: str) -> object:
        fields = {
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": connection.account_sid,
            "MessagingServiceSid": connection.messaging_service_sid,
            "From": sender,
            "To": "+15550001111",
            "Body": body,
            "NumMedia": "0",
            **params,
        }
        return post_hook(f"/hooks/twilio/{connection.hook_key}/inbound", fields)

    return post


def test_message_is_stored_once_with_a_contact_and_answered_with_empty_twiml(text: Post) -> None:
    for _ in range(3):
        answer = text("Hello, is my parcel there?")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/xml")
        assert answer.content.decode().endswith("<Response/>")
    message = Message.objects.get()
    assert (message.direction, message.status, message.phone) == ("inbound", "received", PERSON)
    assert message.contact == Contact.objects.get(phone=PERSON)


@pytest.mark.parametrize("word", ["STOP", "stop", " Stop. ", "UNSUBSCRIBE", "Revoke", "OPTOUT"])
def test_stop_opts_out_and_tags_and_start_undoes_both(text: Post, word: str) -> None:
    text(word)
    block = OptOut.objects.get()
    assert (block.scope, block.source, block.phone) == ("organization", "keyword", PERSON)
    contact = Contact.objects.get(phone=PERSON)
    assert [tag.name for tag in contact.tags.all()] == ["Twilio-Message-stop"]
    text("START", sid="SM" + "2" * 32)
    assert not OptOut.objects.filter(ended_at=None).exists()
    assert not contact.tags.exists()


def test_start_also_ends_the_narrow_opt_out_of_twilio(text: Post, connection: Connection) -> None:
    OptOut.objects.create(
        organization=connection.organization,
        phone=PERSON,
        scope="sender",
        sender=connection.messaging_service_sid,
        source="twilio",
    )
    text("unstop")
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_who_writes_for_the_first_time_agreed_to_nothing(text: Post, connection: Connection) -> None:
    text("Hello, what do you sell?")
    organization = connection.organization
    assert Contact.objects.filter(organization=organization, phone=PERSON).exists()
    assert state_of(organization, phone=PERSON) is None
    sale = enqueue(organization, draft=Draft(to=PERSON, body="Sale!", purpose="marketing"))
    assert (sale.status, sale.error_reason) == ("blocked", "no_consent")
    assert enqueue(organization, draft=Draft(to=PERSON, body="Thank you for asking.")).status == "queued"


def test_stop_in_the_middle_of_a_sentence_is_only_a_message(text: Post) -> None:
    text("Please stop by on Monday")
    assert not OptOut.objects.exists()


def test_opt_out_type_of_advanced_opt_out_counts(text: Post) -> None:
    text("ARRET", OptOutType="STOP")
    assert OptOut.objects.get().keyword == "ARRET"


@pytest.mark.parametrize("body", ["", "\x00\x00", "‮kcab", "😀" * 2000, "a" * 20_000])
def test_strange_texts_are_kept_and_never_a_500(text: Post, body: str) -> None:
    assert text(body).status_code == 200
    assert Message.objects.count() == 1


@pytest.mark.parametrize("sender", ["12345", "BANK", "whatsapp:+4915112345678", "+99"])
def test_text_from_a_short_code_or_name_is_kept_but_makes_no_contact(text: Post, sender: str) -> None:
    assert text("STOP", sender=sender).status_code == 200
    assert Message.objects.get().contact is None
    assert not Contact.objects.exists()
    assert not OptOut.objects.exists()


def test_text_from_nobody_is_kept_raw_only(text: Post) -> None:
    assert text("Hi", sender="").status_code == 200
    assert Callback.objects.get().outcome == "unreadable"
    assert not Message.objects.exists()


def test_forged_stop_changes_nothing(connection: Connection, post_hook: Post) -> None:  # noqa: F811
    path = f"/hooks/twilio/{connection.hook_key}/inbound"
    answer = post_hook(path, {"From": PERSON, "Body": "STOP", "MessageSid": "SM" + "1" * 32}, token=None)
    assert answer.status_code == 403
    assert not OptOut.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_stop_outlives_the_deletion_of_its_contact_in_that_very_moment(
    text: Post, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A merge, an erasure or a member takes the contact away after we looked at it: the insert fails at its commit.
    person = Contact.objects.create(organization=connection.organization, phone=PERSON, region="DE")
    arrive = receiving.note_arrival

    def delete() -> None:
        Contact.objects.filter(pk=person.pk).delete()
        connections.close_all()

    def interrupted(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(receiving, "note_arrival", arrive)
        elsewhere = threading.Thread(target=delete)
        elsewhere.start()
        elsewhere.join(10)
        return arrive(*args, **more)

    monkeypatch.setattr(receiving, "note_arrival", interrupted)
    text("STOP")
    assert OptOut.objects.filter(phone=PERSON, ended_at=None).count() == 1
    assert Message.objects.get().contact == Contact.objects.get(phone=PERSON)
    assert Callback.objects.get().outcome == "applied"


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What goes wrong in the middle of taking in a text, as long as it stands in this list; for one text only where
    the error has its words."""
    troubles: list[Exception] = []
    note_arrival = receiving.note_arrival

    def note(message: Message, *, is_handled: bool = False) -> Arrival:
        for error in troubles:
            if len(error.args) == 1 or message.body in error.args:
                raise error
        return note_arrival(message, is_handled=is_handled)

    monkeypatch.setattr(receiving, "note_arrival", note)
    return troubles


def sweep(*, after: float) -> None:
    """Look for what was forgotten when so many seconds are over."""
    Callback.objects.filter(outcome="").update(received_at=timezone.now() - timedelta(seconds=after))
    apply_pending()


@pytest.mark.parametrize("error", [DatabaseError("deadlock"), IntegrityError("no such contact"), ValueError("a bug")])
def test_stop_that_could_not_be_taken_in_is_taken_in_by_the_sweep(
    text: Post, trouble: list[Exception], error: Exception
) -> None:
    trouble.append(error)
    answer = text("STOP")
    assert answer.status_code == 200
    assert answer.content.decode().endswith("<Response/>")
    assert not OptOut.objects.exists()
    assert Callback.objects.get().outcome == ""
    trouble.clear()
    sweep(after=4)
    assert OptOut.objects.get(ended_at=None).phone == PERSON
    assert Callback.objects.get().outcome == "applied"
    sweep(after=400)
    assert (Message.objects.count(), OptOut.objects.count()) == (1, 1)


def test_text_that_nothing_can_take_in_holds_up_no_other_and_is_set_apart_in_the_end(
    text: Post, trouble: list[Exception]
) -> None:
    trouble.append(ValueError("a bug"))
    text("poison")
    text("STOP", sid="SM" + "2" * 32)
    poison, stop = Callback.objects.order_by("id")
    # The pauses grow: what is in trouble for a minute is not given up in ten seconds.
    for after, attempts in ((4, 1), (9, 1), (11, 2), (39, 2), (41, 3), (91, 4)):
        sweep(after=after)
        poison.refresh_from_db()
        stop.refresh_from_db()
        assert (poison.outcome, poison.attempts) == (stop.outcome, stop.attempts) == ("", attempts)
    trouble[:] = [ValueError("a bug", "poison")]
    sweep(after=161)
    poison.refresh_from_db()
    assert (poison.outcome, poison.attempts) == ("unreadable", 5)
    assert OptOut.objects.get(ended_at=None).phone == PERSON
