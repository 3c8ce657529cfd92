"""What comes in finds its conversation."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from integrations.connections.models import Connection
from messaging.contacts.models import Contact
from messaging.inbox.arrivals import note_arrival
from messaging.inbox.display import readable, snippet
from messaging.inbox.models import Conversation
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import MessageFactory

from .conftest import OURS, PERSON, Incoming

pytestmark = pytest.mark.django_db


def test_first_text_opens_a_conversation_and_the_next_ones_add_to_it(
    incoming: Incoming, connection: Connection
) -> None:
    incoming("Hello")
    incoming("Is anybody there?")
    conversation = Conversation.objects.get()
    assert (conversation.phone, conversation.sender, conversation.connection) == (PERSON, OURS, connection)
    assert (conversation.unread, conversation.is_unread, conversation.state) == (2, True, "open")
    assert conversation.last_text == "Is anybody there?"
    assert conversation.contact == Contact.objects.get(phone=PERSON)


def test_repeated_webhook_counts_once(incoming: Incoming) -> None:
    for _ in range(3):
        incoming("Hello", sid="SM" + "9" * 32)
    assert Conversation.objects.get().unread == 1


def test_closed_conversation_opens_again_when_the_person_writes(incoming: Incoming) -> None:
    incoming("Hello")
    Conversation.objects.update(state="closed", unread=0)
    incoming("One more thing")
    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.unread) == ("open", 1)


@pytest.mark.parametrize("word", ["STOP", "start", "Help"])
def test_keyword_asks_nobody_for_attention(incoming: Incoming, word: str) -> None:
    incoming(word)
    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.unread, conversation.last_text) == ("closed", 0, word)


def test_keyword_closes_nothing_that_was_open(incoming: Incoming) -> None:
    incoming("Where is my parcel?")
    incoming("STOP")
    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.unread) == ("open", 1)


@pytest.mark.parametrize("writer", ["12345", "BANK"])
def test_short_code_and_name_have_a_conversation_that_takes_no_answer(incoming: Incoming, writer: str) -> None:
    incoming("Your bill", sender=writer)
    conversation = Conversation.objects.get()
    assert (conversation.phone, conversation.contact, conversation.can_be_answered) == (writer, None, False)


def test_writer_of_another_channel_has_no_conversation_yet(incoming: Incoming) -> None:
    incoming("Hi", sender="whatsapp:+4915112345678")
    assert Message.objects.count() == 1
    assert not Conversation.objects.exists()


def test_text_with_a_missing_part_is_kept_and_marked(incoming: Incoming) -> None:
    incoming("The first half of", ErrorCode="30009")
    assert Message.objects.get().error_code == 30009


def test_long_text_is_kept_whole(incoming: Incoming) -> None:
    incoming("a" * 10_000)
    assert len(Message.objects.get().body) == 10_000
    assert len(Conversation.objects.get().last_text) == 200


@pytest.mark.parametrize("body", ["", "\x00\x00", "‮gnp.exe", "\x07\x1b[31mred", "ab\ud800"])
def test_strange_text_opens_a_conversation(incoming: Incoming, body: str) -> None:
    incoming(body.encode("utf-8", "replace").decode())
    shown = Conversation.objects.get().last_text
    assert not set(shown) & set("\x00\x07\x1b‮")


def test_readable_keeps_words_and_drops_what_turns_or_controls() -> None:
    assert readable("a‮b‬c\x00\x85") == "abc"
    assert readable("one\r\ntwo\tthree") == "one\ntwo\tthree"
    assert readable("שלום\u200f!") == "שלום\u200f!"
    assert snippet("  a\n\n b ") == "a b"


def test_muted_conversation_stays_quiet(incoming: Incoming) -> None:
    incoming("Hello")
    Conversation.objects.update(muted_at="2026-01-01T00:00Z", unread=0, state="closed")
    incoming("Hello again")
    conversation = Conversation.objects.get()
    assert (conversation.unread, conversation.state, conversation.last_text) == (0, "closed", "Hello again")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_conversation_that_counts_all(cast: Cast, connection: Connection) -> None:
    def arrive(number: int) -> None:
        try:
            with transaction.atomic():
                message = MessageFactory(
                    organization=cast.organization,
                    connection=connection,
                    phone=PERSON,
                    direction="inbound",
                    status="received",
                    body=f"text {number}",
                )
                note_arrival(message)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(arrive, range(40)))
    conversation = Conversation.objects.get()
    assert (conversation.unread, conversation.minute_count) == (40, 40)
