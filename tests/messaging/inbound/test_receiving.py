"""Incoming messages and their keywords."""

import threading
from typing import Any

import pytest
from django.db import connections

from integrations.connections.models import Connection
from messaging.consent.models import OptOut
from messaging.contacts.models import Contact
from messaging.inbound import receive as receiving
from messaging.receipts.models import Callback
from messaging.sending.models import Message
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
