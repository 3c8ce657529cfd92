"""Unsubscribe links: the same person, the same link; in every text that nobody can reply to; counted before sending."""

import pytest

from integrations.connections.models import Connection
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.links import TOKEN, is_name, keep_links, link_of, sample_link, token_of
from messaging.consent.models import ConsentPolicy, UnsubscribeLink
from messaging.consent.unsubscribing import find_link, leave
from messaging.contacts.erasure.erasing import erase_person
from messaging.sending.claim import claim_batch
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem, compose, enqueue
from messaging.templates.look import look_at
from messaging.templates.wording import create_template
from tests.conftest import Cast
from tests.factories import ContactFactory

PHONE, OTHER = "+4915112345678", "+33612345678"
SERVICE = "MG" + "a" * 32


@pytest.fixture(autouse=True)
def agreed(cast: Cast) -> None:
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))


def test_a_token_is_of_one_organization_one_number_and_one_sender(cast: Cast) -> None:
    token = token_of(cast.organization, phone=PHONE, sender="ACME")
    assert token == token_of(cast.organization, phone=PHONE, sender="ACME")
    others = {
        token_of(cast.other, phone=PHONE, sender="ACME"),
        token_of(cast.organization, phone=OTHER, sender="ACME"),
        token_of(cast.organization, phone=PHONE, sender="OTHER"),
        token_of(cast.organization, phone=PHONE, sender="ACME", channel="whatsapp"),
    }
    assert len(others | {token}) == 5
    assert len(token) == 10
    assert TOKEN.search(sample_link())
    assert len(sample_link()) == len(link_of(cast.organization, phone=PHONE))


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("ACME", True),
        ("A1", True),
        ("+12125550123", False),
        ("12345", False),
        (SERVICE, False),
        ("", False),
        ("MGM", True),
    ],
)
def test_names_are_what_nobody_can_reply_to(sender: str, expected: bool) -> None:
    assert is_name(sender) is expected


def test_marketing_from_a_name_gets_the_link_and_its_segments(cast: Cast, connection: Connection) -> None:
    body = "Sale! " + "x" * 140
    draft = Draft(to=PHONE, body=body, purpose="marketing", sender="ACME")
    composed = compose(cast.organization, draft=draft)
    link = link_of(cast.organization, phone=PHONE, sender="ACME")
    assert composed.body == f"{body}\nUnsubscribe: {link}"
    assert composed.segments == 2
    assert not UnsubscribeLink.objects.exists()
    message = enqueue(cast.organization, draft=draft)
    assert (message.body, message.segments) == (composed.body, 2)
    kept = UnsubscribeLink.objects.get()
    assert (kept.phone, kept.sender, link.endswith(kept.token)) == (PHONE, "ACME", True)
    enqueue(cast.organization, draft=draft)
    assert UnsubscribeLink.objects.count() == 1


@pytest.mark.parametrize(
    ("sender", "purpose"), [("+12125550123", "marketing"), (SERVICE, "marketing"), ("ACME", "transactional")]
)
def test_nothing_else_is_changed(cast: Cast, connection: Connection, sender: str, purpose: str) -> None:
    draft = Draft(to=PHONE, body="Sale!", purpose=purpose, sender=sender)
    assert compose(cast.organization, draft=draft).body == "Sale!"


def test_the_link_speaks_the_contacts_language_and_can_be_switched_off(cast: Cast, connection: Connection) -> None:
    ContactFactory(organization=cast.organization, phone=PHONE, language="de")
    draft = Draft(to=PHONE, body="Rabatt!", purpose="marketing", sender="ACME")
    assert "\nAbmelden: http" in compose(cast.organization, draft=draft).body
    ConsentPolicy.objects.create(organization=cast.organization, append_link=False)
    assert compose(cast.organization, draft=draft).body == "Rabatt!"


def test_a_template_may_place_the_link_itself(cast: Cast, connection: Connection) -> None:
    template = create_template(
        cast.organization, name="Sale", body="Sale! Out: {{ unsubscribe_link }} Bye", actor=cast.owner
    )
    draft = Draft(to=PHONE, template=template, purpose="marketing", sender="ACME")
    link = link_of(cast.organization, phone=PHONE, sender="ACME")
    assert enqueue(cast.organization, draft=draft).body == f"Sale! Out: {link} Bye"
    plain = enqueue(cast.organization, draft=Draft(to=PHONE, template=template, purpose="marketing", sender=SERVICE))
    assert UnsubscribeLink.objects.count() == 2
    assert plain.body.count("/u/") == 1
    assert sample_link() in look_at(cast.organization, body="Out: {{ unsubscribe_link }}").text


def test_a_text_that_has_no_room_for_the_link_is_refused(cast: Cast, connection: Connection) -> None:
    with pytest.raises(EnqueueProblem) as refused:
        compose(cast.organization, draft=Draft(to=PHONE, body="x" * 1590, purpose="marketing", sender="ACME"))
    assert (refused.value.code, refused.value.field) == ("too_long", "body")


def test_many_links_are_kept_at_once_and_again(cast: Cast) -> None:
    people = [(f"+49151{number:08d}", "ACME") for number in range(300)]
    for _ in range(2):
        assert keep_links(cast.organization, people) == 300
    assert UnsubscribeLink.objects.count() == 300


def test_a_forged_link_in_a_text_is_not_kept(cast: Cast, connection: Connection) -> None:
    theirs = link_of(cast.organization, phone=OTHER, sender=connection.sends_as)
    enqueue(cast.organization, draft=Draft(to=PHONE, body=f"Look: {theirs}"))
    assert not UnsubscribeLink.objects.exists()


def test_the_link_of_an_erased_person_who_came_back_stops_what_is_queued_already(
    cast: Cast, connection: Connection
) -> None:
    draft = Draft(to=PHONE, body="Sale!", purpose="marketing", sender="ACME")
    enqueue(cast.organization, draft=draft)
    erase_person(ContactFactory(organization=cast.organization, phone=PHONE))
    Message.objects.update(status="canceled")
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk again"))
    assert enqueue(cast.organization, draft=draft).status == "queued"
    link = find_link(token_of(cast.organization, phone=PHONE, sender="ACME"))
    assert link
    leave(link)
    assert claim_batch(connection.pk, sender="ACME", lane=Message.Lane.FAST, limit=5).messages == []
    assert enqueue(cast.organization, draft=draft).status == "blocked"
