"""The inbox as members see it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.consent.models import OptOut
from messaging.contacts.models import Contact
from messaging.inbox import conversing
from messaging.inbox.models import CannedReply, Conversation
from messaging.inbox.selectors import find_conversations, page_of
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

from .conftest import OURS, PERSON, Incoming

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def agent(cast: Cast) -> Client:
    return cast.client("agent")


@pytest.fixture
def conversation(incoming: Incoming) -> Conversation:
    incoming("Where is my parcel?")
    Contact.objects.filter(phone=PERSON).update(name="Ada Lovelace")
    return Conversation.objects.get()


def reply(client: Client, cast: Cast, conversation: Conversation, body: str, **fields: str) -> Any:
    data = {"body": body, "nonce": "n1", "do": "send", **fields}
    return client.post(cast.url(f"inbox/{conversation.pk}/reply/"), data)


def test_list_shows_unread_first_with_name_and_text(cast: Cast, agent: Client, incoming: Incoming) -> None:
    for number, body in ((1, "first"), (2, "second"), (3, "third")):
        incoming(body, sender=f"+491511234567{number}")
    Conversation.objects.filter(last_text="third").update(unread=0)
    page = agent.get(cast.url("inbox/")).content.decode()
    assert page.index("second") < page.index("first") < page.index("third")
    assert "(2)" not in page
    assert 'href="/o/acme/inbox/"' in page


def test_sidebar_and_count_tell_how_many_are_unread(cast: Cast, agent: Client, conversation: Conversation) -> None:
    news = agent.get(cast.url("inbox/count/")).json()
    assert news["unread"] == 1
    assert news["latest"]["who"] == "Ada Lovelace"
    conversing.mark_read(conversation)
    assert agent.get(cast.url("inbox/count/")).json() == {"unread": 0, "latest": None}


def test_count_of_a_nameless_writer_shows_no_full_number(cast: Cast, agent: Client, incoming: Incoming) -> None:
    incoming("Hello")
    assert "12345678" not in agent.get(cast.url("inbox/count/")).content.decode()


def test_thread_shows_bubbles_of_both_sides_and_days(cast: Cast, agent: Client, conversation: Conversation) -> None:
    earlier = timezone.now() - timedelta(days=3)
    MessageFactory(
        organization=cast.organization, phone=PERSON, body="On its way", status="delivered", created_at=earlier,
        connection=conversation.connection,
    )  # fmt: skip
    page = agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert "Where is my parcel?" in page
    assert "On its way" in page
    assert "Delivered" in page
    assert page.count("hg-inbox-day") == 2


def test_looking_marks_nothing_but_the_page_asks_for_it(cast: Cast, agent: Client, conversation: Conversation) -> None:
    page = agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert f'hx-post="/o/acme/inbox/{conversation.pk}/read/"' in page
    assert Conversation.objects.get().unread == 1
    assert agent.post(cast.url(f"inbox/{conversation.pk}/read/"), headers=HTMX).status_code == 204
    assert Conversation.objects.get().unread == 0


def test_reply_goes_out_from_the_number_that_was_written_to(
    cast: Cast, agent: Client, conversation: Conversation
) -> None:
    answer = reply(agent, cast, conversation, "It arrives at five.")
    assert answer.status_code == 302
    message = Message.objects.get(direction="outbound")
    assert (message.phone, message.sender, message.connection) == (PERSON, OURS, conversation.connection)
    assert (message.status, message.source, message.created_by_id) == ("queued", "inbox", cast.agent.pk)
    conversation.refresh_from_db()
    assert (conversation.last_text, conversation.last_is_inbound) == ("It arrives at five.", False)
    assert conversation.unread == 0


def test_same_reply_pressed_twice_is_one_message(cast: Cast, agent: Client, conversation: Conversation) -> None:
    for _ in range(2):
        assert reply(agent, cast, conversation, "Yes.").status_code == 302
    assert Message.objects.filter(direction="outbound").count() == 1
    other = reply(agent, cast, conversation, "No.")
    assert other.status_code == 422
    assert "already sent with another text" in other.content.decode()


def test_reply_in_place_gives_the_desk_with_an_empty_field(
    cast: Cast, agent: Client, conversation: Conversation
) -> None:
    data = {"body": "Yes.", "nonce": "n", "do": "send"}
    answer = agent.post(cast.url(f"inbox/{conversation.pk}/reply/"), data, headers=HTMX)
    page = answer.content.decode()
    assert "<html" not in page
    assert "Yes." in page
    assert re.search(r"<textarea[^>]*></textarea>", page)


@pytest.mark.parametrize(
    ("body", "words"),
    [("", "Write the answer first."), ("a" * 1700, "at most 1,600"), ("Hi {{ name }}", "Fill in {{ name }}")],
)
def test_bad_reply_is_refused_in_words_and_stays_in_the_field(
    cast: Cast, agent: Client, conversation: Conversation, body: str, words: str
) -> None:
    answer = reply(agent, cast, conversation, body)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert body in page
    assert not Message.objects.filter(direction="outbound").exists()


def test_opted_out_is_said_before_one_types_and_a_reply_is_not_sent(
    cast: Cast, agent: Client, conversation: Conversation
) -> None:
    OptOut.objects.create(organization=cast.organization, phone=PERSON, source="keyword")
    page = agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert "Opted out" in page
    assert "<textarea" not in page
    reply(agent, cast, conversation, "Are you there?")
    assert Message.objects.get(direction="outbound").status == "blocked"


def test_reply_to_a_short_code_is_refused(cast: Cast, agent: Client, incoming: Incoming) -> None:
    incoming("Your bill", sender="12345")
    conversation = Conversation.objects.get()
    assert "takes no answer" in agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert reply(agent, cast, conversation, "Thanks").status_code == 422
    assert Message.objects.count() == 1


def test_reply_through_a_disconnected_connection_takes_the_default(
    cast: Cast, agent: Client, conversation: Conversation, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(status="disconnected", is_default=False)
    answer = reply(agent, cast, conversation, "Hello")
    assert answer.status_code == 422
    assert "Connect Twilio" in answer.content.decode()


def test_viewer_looks_and_does_nothing(cast: Cast, conversation: Conversation) -> None:
    viewer = cast.client("viewer")
    page = viewer.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert "Your role looks on" in page
    assert "/read/" not in page
    for path in ("reply", "read", "state", "assign"):
        assert viewer.post(cast.url(f"inbox/{conversation.pk}/{path}/")).status_code == 403


def test_stranger_finds_nothing(cast: Cast, conversation: Conversation) -> None:
    stranger = cast.client("stranger")
    assert stranger.get(cast.url(f"inbox/{conversation.pk}/")).status_code == 404
    assert stranger.get(cast.url(f"inbox/{conversation.pk}/", cast.other)).status_code == 404
    assert stranger.post(cast.url(f"inbox/{conversation.pk}/reply/", cast.other), {"body": "x"}).status_code == 404
    assert "parcel" not in stranger.get(cast.url("inbox/", cast.other)).content.decode()


def test_texts_answer_nothing_while_nothing_changed(
    cast: Cast, agent: Client, conversation: Conversation, incoming: Incoming
) -> None:
    page = agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    (seen,) = re.findall(r"texts/\?seen=(\w+)", page)
    path = cast.url(f"inbox/{conversation.pk}/texts/?seen={seen}")
    assert agent.get(path, headers=HTMX).status_code == 204
    incoming("Hello?")
    assert "Hello?" in agent.get(path, headers=HTMX).content.decode()


def test_earlier_messages_are_a_page_of_their_own(cast: Cast, agent: Client, conversation: Conversation) -> None:
    for number in range(60):
        MessageFactory(
            organization=cast.organization, connection=conversation.connection, phone=PERSON, body=f"number {number}."
        )
    page = agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert "number 59." in page
    assert "number 9." not in page
    (before,) = re.findall(r"\?before=([0-9a-f-]{36})", page)
    older = agent.get(cast.url(f"inbox/{conversation.pk}/?before={before}")).content.decode()
    assert "number 9." in older
    assert "every 3s" not in older


def test_member_is_assigned_and_taken_off_again(cast: Cast, agent: Client, conversation: Conversation) -> None:
    path = cast.url(f"inbox/{conversation.pk}/assign/")
    agent.post(path, {"member": str(cast.member("admin").pk)})
    assert Conversation.objects.get().assignee == cast.member("admin")
    assert "parcel" in cast.client("admin").get(cast.url("inbox/?view=mine")).content.decode()
    assert "parcel" not in agent.get(cast.url("inbox/?view=mine")).content.decode()
    assert "parcel" not in agent.get(cast.url("inbox/?view=unassigned")).content.decode()
    agent.post(path, {"member": ""})
    assert Conversation.objects.get().assignee is None


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_nobody_is_assigned_who_could_not_answer(
    cast: Cast, agent: Client, conversation: Conversation, who: str
) -> None:
    agent.post(cast.url(f"inbox/{conversation.pk}/assign/"), {"member": str(cast.member(who).pk)})
    assert Conversation.objects.get().assignee is None


def test_close_open_again_and_mark_unread(cast: Cast, agent: Client, conversation: Conversation) -> None:
    path = cast.url(f"inbox/{conversation.pk}/state/")
    agent.post(path, {"do": "close"})
    assert "parcel" not in agent.get(cast.url("inbox/")).content.decode()
    assert "parcel" in agent.get(cast.url("inbox/?view=closed")).content.decode()
    agent.post(path, {"do": "reopen"})
    assert (Conversation.objects.get().state, Conversation.objects.get().unread) == ("open", 0)
    agent.post(path, {"do": "unread"})
    assert "parcel" in agent.get(cast.url("inbox/?view=unread")).content.decode()


def test_mute_is_in_the_audit_log_and_can_be_taken_back(
    cast: Cast, agent: Client, conversation: Conversation, incoming: Incoming
) -> None:
    path = cast.url(f"inbox/{conversation.pk}/state/")
    for _ in range(2):
        agent.post(path, {"do": "mute"})
    incoming("More")
    assert agent.get(cast.url("inbox/count/")).json()["unread"] == 0
    assert AuditEntry.objects.filter(action="conversation.muted").count() == 1
    agent.post(path, {"do": "unmute"})
    incoming("Even more")
    assert agent.get(cast.url("inbox/count/")).json()["unread"] == 1


@pytest.mark.parametrize("query", ["Lovel", "+49 1511 2345678", "345678", "0151 12345678", "PARCEL"])
def test_search_finds_by_name_number_and_text_and_keeps_it_out_of_the_address(
    cast: Cast, agent: Client, conversation: Conversation, incoming: Incoming, query: str
) -> None:
    incoming("Something else", sender="+4917099999999")
    answer = agent.post(cast.url("inbox/"), {"q": query})
    assert re.fullmatch(r"/o/acme/inbox/\?search=[\w-]+", answer["Location"])
    page = agent.get(answer["Location"]).content.decode()
    assert "Ada Lovelace" in page
    assert "Something else" not in page


def test_search_does_not_find_what_was_written_long_ago(cast: Cast, agent: Client, conversation: Conversation) -> None:
    answer = agent.post(cast.url("inbox/"), {"q": "zebra"})
    assert "Nothing fits" in agent.get(answer["Location"]).content.decode()


def test_pages_go_by_key_through_unread_and_read_ones(cast: Cast) -> None:
    now = timezone.now()
    for number in range(7):
        Conversation.objects.create(
            organization=cast.organization,
            phone=f"+49151123456{number:02}",
            unread=number % 2,
            last_at=now - timedelta(minutes=number // 2),
        )
    rows = find_conversations(cast.member("agent"))
    seen, after = [], ""
    for _ in range(10):
        page = page_of(rows, organization=cast.organization, after=after, size=2)
        seen += [row.conversation.pk for row in page.rows]
        after = page.next
        if not after:
            break
    assert seen == [row.pk for row in rows]
    assert len(set(seen)) == 7
    for nonsense in ("x", "1-99999999999999999-0", "2-1-1", "1-99999999999999999-" + "a" * 36):
        assert page_of(rows, organization=cast.organization, after=nonsense, size=2).is_first


def test_list_asks_the_same_few_questions_however_long_it_is(cast: Cast, agent: Client) -> None:
    def questions() -> int:
        with CaptureQueriesContext(database) as asked:
            agent.get(cast.url("inbox/"))
        return len(asked)

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            contact = ContactFactory(organization=cast.organization, phone=f"+49151123457{number:02}")
            Conversation.objects.create(
                organization=cast.organization,
                phone=contact.phone,
                contact=contact if number % 2 else None,
                assignee=cast.member("agent"),
                unread=1,
            )

    fill(0, 2)
    questions()
    few = questions()
    fill(2, 30)
    assert questions() == few


def test_news_counts_what_came_since(cast: Cast, agent: Client, conversation: Conversation) -> None:
    since = (timezone.now() - timedelta(minutes=1)).isoformat()
    assert "1 conversation" in agent.get(cast.url("inbox/news/"), {"since": since}).content.decode()
    later = (timezone.now() + timedelta(minutes=1)).isoformat()
    assert agent.get(cast.url("inbox/news/"), {"since": later}).content.decode().strip() == ""


def test_control_signs_and_overrides_are_not_shown(cast: Cast, agent: Client, incoming: Incoming) -> None:
    incoming("see ‮gpj.exe \x07 <script>alert(1)</script>")
    conversation = Conversation.objects.get()
    message = Message.objects.get()
    for path in ("inbox/", f"inbox/{conversation.pk}/", "messages/", f"messages/{message.pk}/"):
        page = agent.get(cast.url(path)).content.decode()
        assert "‮" not in page
        assert "\x07" not in page
        assert "<script>alert" not in page
        assert "gpj.exe" in page


def test_conversation_with_a_contact_begins_where_there_is_none(cast: Cast, agent: Client) -> None:
    contact = ContactFactory(organization=cast.organization)
    path = cast.url(f"inbox/with/{contact.pk}/")
    first, second = agent.post(path), agent.post(path)
    conversation = Conversation.objects.get()
    assert first["Location"] == second["Location"] == cast.url(f"inbox/{conversation.pk}/")
    assert conversation.unread == 0


# ---- canned replies


def test_canned_reply_is_written_changed_and_deleted(cast: Cast, agent: Client) -> None:
    assert "No canned replies yet" in agent.get(cast.url("inbox/replies/")).content.decode()
    agent.post(cast.url("inbox/replies/new/"), {"name": " Hours ", "body": 'Hi {{ first_name | "there" }}, 9 to 5.'})
    row = CannedReply.objects.get()
    assert row.name == "Hours"
    assert "9 to 5" in agent.get(cast.url("inbox/replies/")).content.decode()
    agent.post(cast.url(f"inbox/replies/{row.pk}/"), {"name": "Hours", "body": "8 to 4."})
    row.refresh_from_db()
    assert row.body == "8 to 4."
    agent.post(cast.url(f"inbox/replies/{row.pk}/delete/"))
    assert not CannedReply.objects.exists()
    assert AuditEntry.objects.filter(action__startswith="canned_reply.").count() == 3


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("", "Text", "required"),
        ("​", "Text", "Give it a name"),
        ("A", "", "required"),
        ("A", "{{ oops", "not closed"),
        ("A", "x" * 1700, "at most 1,600"),
        ("Taken", "Text", "is called"),
    ],
)
def test_bad_canned_reply_is_refused_at_its_field(cast: Cast, agent: Client, name: str, body: str, words: str) -> None:
    CannedReply.objects.create(organization=cast.organization, name="Taken", body="x")
    answer = agent.post(cast.url("inbox/replies/new/"), {"name": name, "body": body})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert CannedReply.objects.count() == 1


def test_canned_reply_is_offered_with_the_values_of_the_contact(
    cast: Cast, agent: Client, conversation: Conversation
) -> None:
    row = CannedReply.objects.create(
        organization=cast.organization, name="Hello", body="Hi {{ first_name }}, about {{ order }}:"
    )
    page = agent.get(cast.url(f"inbox/{conversation.pk}/")).content.decode()
    assert 'data-text="Hi Ada, about {{ order }}:"' in page
    inserted = reply(agent, cast, conversation, "Good morning.", do="insert", canned=str(row.pk))
    assert "Good morning.\nHi Ada, about {{ order }}:</textarea>" in inserted.content.decode()
    assert not Message.objects.filter(direction="outbound").exists()


def test_canned_replies_of_others_are_not_found(cast: Cast, agent: Client, conversation: Conversation) -> None:
    row = CannedReply.objects.create(organization=cast.other, name="Theirs", body="Secret")
    assert agent.get(cast.url(f"inbox/replies/{row.pk}/")).status_code == 404
    assert agent.post(cast.url(f"inbox/replies/{row.pk}/delete/")).status_code == 404
    page = reply(agent, cast, conversation, "", do="insert", canned=str(row.pk)).content.decode()
    assert "Secret" not in page


def test_measure_counts_segments_while_typing(cast: Cast, agent: Client) -> None:
    page = agent.post(cast.url("inbox/measure/"), {"body": "“Hi”"}).content.decode()
    assert "1 segment" in page
    assert "4 characters" in page
    assert agent.post(cast.url("inbox/measure/"), {"body": ""}).content.decode().strip() == ""
