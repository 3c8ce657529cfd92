"""Keywords in what people write: acted on as far as Twilio does, answered once, and by one of us only."""

import threading
from typing import Any

import pytest
from django.db import connections

from integrations.connections.models import Connection
from integrations.phones import parse_phone
from messaging.consent.answering import RULES, who_answers
from messaging.consent.hearing import hear
from messaging.consent.keywords import Asked
from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.models import ConsentPolicy, OptOut
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.models import Contact
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

PHONE = "+4915112345678"
LONG_CODE, SHORT_CODE, TOLL_FREE, SERVICE = "+12125550123", "12345", "+18005550123", "MG" + "a" * 32


def say(organization: Any, connection: Connection, body: str, *, ours: str = LONG_CODE, **more: Any) -> str:
    """Receive a message and hear what it asks for."""
    contact = Contact.objects.filter(organization=organization, phone=PHONE).first()
    message = MessageFactory(
        organization=organization,
        connection=connection,
        contact=contact,
        direction="inbound",
        status="received",
        phone=PHONE,
        sender=ours,
        body=body,
    )
    phone = parse_phone(PHONE, region=None)
    return hear(organization, connection=connection, message=message, phone=phone, contact=contact, ours=ours, **more)


def answers(organization: Any) -> list[str]:
    sent = Message.objects.filter(organization=organization, direction="outbound", purpose="consent")
    return list(sent.order_by("created_at").values_list("body", flat=True))


@pytest.mark.parametrize(
    "body", ["STOP", " stop. ", "«Stop!»", "\u202eSTOP\u202c", "\u200bST\u200dOP\x07", "ＳＴＯＰ", "Stóp"]
)
def test_a_stop_however_it_is_written_opts_out(cast: Cast, connection: Connection, body: str) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    assert say(cast.organization, connection, body) == "stop"
    standing = OptOut.objects.get()
    assert (standing.scope, standing.source, standing.twilio_scope) == ("organization", "keyword", LONG_CODE)
    assert not {"\u202e", "\u200b", "\x07"} & set(standing.keyword)  # it is shown on pages
    assert contact.tags.filter(name=STOP_TAG).exists()
    assert answers(cast.organization) == []  # Twilio answers for long codes itself


@pytest.mark.parametrize(
    "body", ["please stop texting me", "I'll stop by at 5", "stop stop", "", "\x07", "🛑", "x" * 9000]
)
def test_a_stop_inside_a_sentence_does_nothing(cast: Cast, connection: Connection, body: str) -> None:
    assert say(cast.organization, connection, body) == ""
    assert not OptOut.objects.exists()
    assert not Message.objects.filter(direction="outbound").exists()


def test_a_stop_of_somebody_unknown_opts_the_number_out_and_grants_nothing(cast: Cast, connection: Connection) -> None:
    say(cast.organization, connection, "STOP")
    assert OptOut.objects.get().phone == PHONE
    assert state_of(cast.organization, phone=PHONE).state == "withdrawn"
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "blocked"


def test_what_was_said_stands_as_proof(cast: Cast, connection: Connection) -> None:
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))
    say(cast.organization, connection, "STOP")
    record = state_of(cast.organization, phone=PHONE).record
    assert record.source == "keyword"
    assert record.evidence["message"] == str(Message.objects.get(direction="inbound").pk)
    say(cast.organization, connection, "START")
    assert state_of(cast.organization, phone=PHONE).state == "granted"
    assert not OptOut.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize(
    ("ours", "service", "opt_out_type", "word", "kind"),
    [
        (LONG_CODE, "", "", "stop", "long_code"),
        (LONG_CODE, SERVICE, "", "stop", "service"),
        (TOLL_FREE, "", "", "stop", "toll_free"),
        (SHORT_CODE, "", "", "stop", "short_code"),
        (SHORT_CODE, SERVICE, "", "stop", "short_code"),
        (SHORT_CODE, SERVICE, "STOP", "stop", "advanced"),
        (LONG_CODE, SERVICE, "", "abmelden", "other_word"),
    ],
)
def test_who_answers_is_decided_by_the_table(
    cast: Cast, ours: str, service: str, opt_out_type: str, word: str, kind: str
) -> None:
    asked = Asked("stop", word, is_twilios=word == "stop")
    policy = ConsentPolicy(organization=cast.organization)
    rule = who_answers(policy, asked=asked, ours=ours, service=service, opt_out_type=opt_out_type)
    assert rule.kind == kind
    assert rule.source.startswith("https://")
    said = ConsentPolicy(organization=cast.organization, sender_answers={ours: "no"})
    overruled = who_answers(said, asked=asked, ours=ours, service=service, opt_out_type=opt_out_type)
    # Nobody can talk networks out of answering, and what Twilio says it answered, it answered.
    assert overruled.kind == (kind if kind in {"advanced", "toll_free", "other_word"} else "said_so")


def test_every_rule_names_its_source_or_is_the_organizations_own() -> None:
    assert all(rule.source or rule.kind.startswith("said") for rule in RULES.values())


def test_where_twilio_is_silent_we_answer_once(cast: Cast, connection: Connection) -> None:
    for _ in range(3):
        say(cast.organization, connection, "STOP", ours=SHORT_CODE)
    [text] = answers(cast.organization)
    assert text.startswith("Acme Logistics: You are unsubscribed")
    answer = Message.objects.get(purpose="consent")
    assert (answer.status, answer.sender, answer.source) == ("queued", SHORT_CODE, "keyword")
    assert (answer.valid_until - answer.due_at).total_seconds() == 300
    assert OptOut.objects.get().twilio_scope == ""
    # Everything else stays blocked.
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "blocked"


def test_start_and_help_are_answered_too_but_help_not_to_who_opted_out(cast: Cast, connection: Connection) -> None:
    for body in ("HELP", "HELP", "STOP", "HELP", "START", "START"):
        say(cast.organization, connection, body, ours=SHORT_CODE)
    helped, stopped, started = answers(cast.organization)
    assert "Reply STOP to get no more" in helped
    assert "unsubscribed" in stopped
    assert "again" in started


def test_machines_that_answer_each_other_are_left_alone_after_a_while(cast: Cast, connection: Connection) -> None:
    for _ in range(20):
        say(cast.organization, connection, "STOP", ours=SHORT_CODE)
        say(cast.organization, connection, "START", ours=SHORT_CODE)
    assert len(answers(cast.organization)) == 5
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_the_organizations_own_text_and_the_contacts_language(cast: Cast, connection: Connection) -> None:
    ContactFactory(organization=cast.organization, phone=PHONE, language="de")
    say(cast.organization, connection, "STOP", ours=SHORT_CODE)
    assert answers(cast.organization) == [
        "Acme Logistics: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START melden Sie sich wieder an."
    ]
    ConsentPolicy.objects.create(organization=cast.organization, start_text="Welcome back!")
    say(cast.organization, connection, "START", ours=SHORT_CODE)
    assert answers(cast.organization)[-1] == "Welcome back!"


def test_words_of_other_languages_count_once_they_are_switched_on(cast: Cast, connection: Connection) -> None:
    assert say(cast.organization, connection, "ARRÊT") == ""
    policy = ConsentPolicy.objects.create(
        organization=cast.organization, languages=["fr", "ru", "ar", "zh", "tr", "ja"], extra_stop_words=["Schluss"]
    )
    for body in ("arret", "СТОП", "توقف", "退订", "DURDUR", "停止", "schluss!"):
        assert say(cast.organization, connection, body) == "stop", body
        assert OptOut.objects.get(ended_at=None).twilio_scope == ""
        assert say(cast.organization, connection, "START") == "start"
    assert len(answers(cast.organization)) == 5  # Twilio does not know these words; START it answers itself
    policy.delete()


def test_a_word_that_twilio_does_not_know_leaves_what_twilio_holds(cast: Cast, connection: Connection) -> None:
    ConsentPolicy.objects.create(organization=cast.organization, languages=["es"])
    say(cast.organization, connection, "STOP")
    assert say(cast.organization, connection, "ALTA") == "start"
    assert OptOut.objects.filter(ended_at=None).exists()
    say(cast.organization, connection, "START")
    say(cast.organization, connection, "BAJA")
    say(cast.organization, connection, "alta")
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_yes_undoes_where_twilio_undoes_it_and_not_for_toll_free_numbers(cast: Cast, connection: Connection) -> None:
    say(cast.organization, connection, "STOP", ours=TOLL_FREE)
    assert say(cast.organization, connection, "YES", ours=TOLL_FREE) == ""
    assert OptOut.objects.filter(ended_at=None).exists()
    assert say(cast.organization, connection, "UNSTOP", ours=TOLL_FREE) == "start"
    say(cast.organization, connection, "STOP")
    assert say(cast.organization, connection, "yes") == "start"
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_twilios_own_reading_comes_first(cast: Cast, connection: Connection) -> None:
    assert say(cast.organization, connection, "Genug", service=SERVICE, opt_out_type="STOP") == "stop"
    standing = OptOut.objects.get()
    assert (standing.keyword, standing.twilio_scope) == ("Genug", SERVICE)
    assert answers(cast.organization) == []
    assert say(cast.organization, connection, "hello", opt_out_type="nonsense") == ""


def test_a_narrow_policy_stops_only_what_was_answered(cast: Cast, connection: Connection) -> None:
    ConsentPolicy.objects.create(organization=cast.organization, scope="sender")
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))
    say(cast.organization, connection, "STOP", service=SERVICE)
    assert set(OptOut.objects.values_list("scope", "sender")) == {("sender", SERVICE), ("sender", LONG_CODE)}
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello", sender=SERVICE)).status == "blocked"
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello", sender="ACME")).status == "queued"
    assert state_of(cast.organization, phone=PHONE).state == "granted"
    say(cast.organization, connection, "START", service=SERVICE)
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_a_start_to_one_sender_undoes_no_stop_to_another_of_the_connection(cast: Cast, connection: Connection) -> None:
    ConsentPolicy.objects.create(organization=cast.organization, scope="sender")
    say(cast.organization, connection, "STOP", service=connection.messaging_service_sid)
    say(cast.organization, connection, "START", ours=SHORT_CODE)
    usual = enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello"))
    assert (usual.sender, usual.status) == (connection.messaging_service_sid, "blocked")
    say(cast.organization, connection, "START", service=connection.messaging_service_sid)
    assert enqueue(cast.organization, draft=Draft(to=PHONE, body="Hello")).status == "queued"


def test_nothing_is_answered_for_a_suspended_organization(cast: Cast, connection: Connection) -> None:
    cast.organization.status = "suspended"
    cast.organization.save()
    assert say(cast.organization, connection, "STOP", ours=SHORT_CODE) == "stop"
    assert answers(cast.organization) == []


@pytest.mark.django_db(transaction=True)
def test_two_stops_at_once_are_answered_once(cast: Cast, connection: Connection) -> None:
    start = threading.Barrier(3)

    def stop() -> None:
        start.wait()
        try:
            say(cast.organization, connection, "STOP", ours=SHORT_CODE)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=stop) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert OptOut.objects.count() == 1
    assert len(answers(cast.organization)) == 1
