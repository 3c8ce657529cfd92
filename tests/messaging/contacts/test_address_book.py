"""Keeping contacts: one per number, changes audited without the number, tags that mean what they say."""

import threading

import pytest
from django.db import connections

from integrations.organizations.models import AuditEntry
from integrations.phones import parse_phone
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_out
from messaging.contacts.address_book import (
    ContactProblem,
    Details,
    add_tag,
    create_contact,
    delete_contact,
    plain_line,
    remove_tag,
    update_contact,
)
from messaging.contacts.models import Contact, Tag
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory, OrganizationFactory, UserFactory

PHONE = "+4915112345678"


def details(phone: str = PHONE, **more: str) -> Details:
    return Details(phone=parse_phone(phone, region="DE"), **more)


def test_a_contact_is_kept_with_its_country_and_audited_without_the_number(cast: Cast) -> None:
    contact = create_contact(cast.organization, details=details(name="  Anna\tSchmidt "), actor=cast.agent)
    assert (contact.phone, contact.region, contact.name) == (PHONE, "DE", "Anna Schmidt")
    entry = AuditEntry.objects.get()
    assert entry.action == "contact.created"
    assert entry.changes["phone"].endswith("78")
    assert PHONE not in str(entry.changes)


def test_the_same_form_sent_twice_makes_one_contact(cast: Cast) -> None:
    first = create_contact(cast.organization, details=details(name="Anna"), actor=cast.agent)
    assert create_contact(cast.organization, details=details(name="Anna"), actor=cast.agent) == first
    assert AuditEntry.objects.count() == 1


def test_another_person_with_the_number_is_refused_naming_who_has_it(cast: Cast) -> None:
    anna = create_contact(cast.organization, details=details(name="Anna"), actor=cast.agent)
    with pytest.raises(ContactProblem) as problem:
        create_contact(cast.organization, details=details(name="Ben"), actor=cast.agent)
    assert (problem.value.code, problem.value.field, problem.value.existing) == ("duplicate", "phone", anna)
    assert "Anna" in problem.value.detail


def test_two_organizations_may_know_the_same_person(cast: Cast) -> None:
    create_contact(cast.organization, details=details(), actor=cast.agent)
    create_contact(cast.other, details=details(), actor=cast.stranger)
    assert Contact.objects.filter(phone=PHONE).count() == 2


def test_a_change_is_saved_and_told_with_masked_values(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE, name="Anna", email="anna@example.com")
    changed = update_contact(
        contact, details=details("+33612345678", name="Anna B.", email="b@example.com", notes="x"), actor=cast.agent
    )
    assert set(changed) == {"phone", "region", "name", "email", "notes"}
    contact.refresh_from_db()
    assert (contact.phone, contact.region, contact.name) == ("+33612345678", "FR", "Anna B.")
    told = str(AuditEntry.objects.get().changes)
    assert not {PHONE, "+33612345678", "anna@example.com"} & set(told.replace("'", " ").split())


def test_saving_without_a_change_writes_nothing(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE, name="Anna")
    assert update_contact(contact, details=details(name="Anna"), actor=cast.agent) == []
    assert not AuditEntry.objects.exists()


def test_changing_to_a_taken_number_is_refused_and_changes_nothing(cast: Cast) -> None:
    taken = ContactFactory(organization=cast.organization, phone="+33612345678", name="Ben")
    contact = ContactFactory(organization=cast.organization, phone=PHONE, name="Anna")
    with pytest.raises(ContactProblem) as problem:
        update_contact(contact, details=details("+33612345678", name="Carla"), actor=cast.agent)
    assert problem.value.existing == taken
    assert Contact.objects.get(pk=contact.pk).name == "Anna"
    assert not AuditEntry.objects.exists()


def test_the_opt_out_follows_the_number_not_the_person(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    contact = create_contact(cast.organization, details=details(), actor=cast.agent)
    assert contact.tags.filter(name=STOP_TAG).exists()
    update_contact(contact, details=details("+33612345678"), actor=cast.agent)
    assert not contact.tags.filter(name=STOP_TAG).exists()
    update_contact(contact, details=details(), actor=cast.agent)
    assert contact.tags.filter(name=STOP_TAG).exists()


def test_deleting_keeps_messages_and_opt_outs(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE, name="Anna")
    message = MessageFactory(organization=cast.organization, contact=contact, phone=PHONE)
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    delete_contact(contact, actor=cast.agent)
    assert not Contact.objects.exists()
    kept = Message.objects.get(pk=message.pk)
    assert (kept.contact, kept.phone) == (None, PHONE)
    assert OptOut.objects.filter(phone=PHONE, ended_at=None).exists()
    assert AuditEntry.objects.get(action="contact.deleted").object_label == "Anna"


def test_a_tag_is_found_again_in_any_case_and_given_once(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization)
    first = add_tag(contact, name=" VIP ", actor=cast.agent)
    assert add_tag(contact, name="vip", actor=cast.agent) == first
    assert Tag.objects.filter(organization=cast.organization).count() == 1
    assert AuditEntry.objects.filter(action="contact.tagged").count() == 1
    remove_tag(contact, tag=first, actor=cast.agent)
    remove_tag(contact, tag=first, actor=cast.agent)
    assert not contact.tags.exists()
    assert AuditEntry.objects.filter(action="contact.untagged").count() == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [("  ", "empty"), ("x" * 61, "too_long"), ("twilio-message-STOP", "reserved"), ("\u200b\x00", "empty")],
)
def test_a_bad_tag_is_refused(cast: Cast, name: str, code: str) -> None:
    contact = ContactFactory(organization=cast.organization)
    with pytest.raises(ContactProblem) as problem:
        add_tag(contact, name=name, actor=cast.agent)
    assert problem.value.code == code
    assert not Tag.objects.exists()


def test_nobody_takes_the_stop_tag_away_by_hand(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    with pytest.raises(ContactProblem) as problem:
        remove_tag(contact, tag=Tag.objects.get(name=STOP_TAG), actor=cast.agent)
    assert problem.value.code == "reserved"
    assert contact.tags.exists()


def test_names_lose_what_cannot_be_seen_and_keep_what_scripts_need() -> None:
    assert plain_line("A\u202enna\x00\nSchmidt\ufeff") == "Anna Schmidt"
    assert plain_line("علی\u200cرضا") == "علی\u200cرضا"
    assert plain_line("नि\u200dश") == "नि\u200dश"


@pytest.mark.django_db(transaction=True)
def test_ten_colleagues_adding_one_number_at_once_make_one_contact() -> None:
    organization, actor = OrganizationFactory(), UserFactory()
    outcomes: list[str] = []

    def act(number: int) -> None:
        try:
            create_contact(organization, details=details(name=f"Name {number}"), actor=actor)
            outcomes.append("created")
        except ContactProblem as problem:
            outcomes.append(problem.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=[number]) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["created"] + ["duplicate"] * 9
    assert Contact.objects.count() == 1
