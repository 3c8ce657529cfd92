"""Opting out and in: idempotent, as wide as it should be, and safe when everything comes at once."""

import threading

import pytest
from django.db import connection as database
from django.db import connections
from django.test.utils import CaptureQueriesContext

from integrations.organizations.models import AuditEntry
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import (
    STOP_TAG,
    OptOutProblem,
    end_by_member,
    find_block,
    opt_in,
    opt_out,
    refresh_stop_tag,
)
from messaging.contacts.models import Contact
from tests.conftest import Cast
from tests.factories import ContactFactory, OrganizationFactory

PHONE = "+4915112345678"
SERVICE = "MG" + "a" * 32
OTHER_SERVICE = "MG" + "b" * 32
KEYWORD, TWILIO, STAFF = OptOut.Source.KEYWORD, OptOut.Source.TWILIO, OptOut.Source.STAFF


def has_stop_tag(contact: Contact) -> bool:
    return contact.tags.filter(name=STOP_TAG).exists()


def test_a_stop_blocks_everything_of_the_organization(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=KEYWORD, keyword="STOP")
    for sender in ("", SERVICE, "+15005550006"):
        assert find_block(cast.organization, phone=PHONE, sender=sender, purpose="transactional") is not None


def test_a_stop_blocks_neither_other_organizations_nor_other_numbers_nor_other_channels(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    assert find_block(cast.other, phone=PHONE, purpose="marketing") is None
    assert find_block(cast.organization, phone="+4915112345679", purpose="marketing") is None
    assert find_block(cast.organization, phone=PHONE, channel="whatsapp", purpose="marketing") is None


def test_a_code_the_person_has_just_asked_for_still_goes(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    assert find_block(cast.organization, phone=PHONE, purpose="verification") is None


def test_the_narrow_scope_blocks_its_sender_only(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=TWILIO, scope="sender", sender=SERVICE, twilio_scope=SERVICE)
    assert find_block(cast.organization, phone=PHONE, sender=SERVICE, purpose="transactional") is not None
    assert find_block(cast.organization, phone=PHONE, sender=OTHER_SERVICE, purpose="transactional") is None
    assert find_block(cast.organization, phone=PHONE, purpose="transactional") is None


def test_looking_for_a_block_asks_the_opt_outs_once(cast: Cast) -> None:
    with CaptureQueriesContext(database) as queries:
        find_block(cast.organization, phone=PHONE, sender=SERVICE, purpose="transactional")
    # The other one is for the secret that erased numbers are known by, which a process keeps once there is one.
    assert [row["sql"].count("messaging_optout") > 0 for row in queries] == [False, True]


def test_a_second_stop_changes_nothing(cast: Cast) -> None:
    first = opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    assert opt_out(cast.organization, phone=PHONE, source=KEYWORD) == first
    assert opt_out(cast.organization, phone=PHONE, source=STAFF) == first
    assert OptOut.objects.count() == 1


def test_twilios_scope_is_added_to_an_opt_out_that_did_not_know_it(cast: Cast) -> None:
    first = opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    opt_out(cast.organization, phone=PHONE, source=TWILIO, twilio_scope=SERVICE)
    first.refresh_from_db()
    assert first.twilio_scope == SERVICE


def test_a_stop_takes_over_from_what_a_member_wrote_down(cast: Cast) -> None:
    by_member = opt_out(cast.organization, phone=PHONE, source=STAFF)
    by_person = opt_out(cast.organization, phone=PHONE, source=KEYWORD, keyword="STOP")
    by_member.refresh_from_db()
    assert by_person != by_member
    assert by_member.ended_by == KEYWORD
    with pytest.raises(OptOutProblem) as problem:
        end_by_member(by_person, actor=cast.agent)
    assert problem.value.code == "needs_start"
    assert find_block(cast.organization, phone=PHONE, purpose="marketing") == by_person


def test_start_ends_the_wide_opt_out_and_that_of_the_sender_and_keeps_the_rest(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    for sender in (SERVICE, OTHER_SERVICE):
        opt_out(cast.organization, phone=PHONE, source=TWILIO, scope="sender", sender=sender)
    assert opt_in(cast.organization, phone=PHONE, source=KEYWORD, sender=SERVICE) == 2
    assert has_stop_tag(contact)
    assert opt_in(cast.organization, phone=PHONE, source=KEYWORD, sender=OTHER_SERVICE) == 1
    assert not has_stop_tag(contact)
    assert opt_in(cast.organization, phone=PHONE, source=KEYWORD, sender=OTHER_SERVICE) == 0
    assert OptOut.objects.filter(ended_at=None).count() == 0
    assert OptOut.objects.count() == 3


def test_a_start_elsewhere_leaves_this_organizations_opt_out(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    assert opt_in(cast.other, phone=PHONE, source=KEYWORD) == 0
    assert find_block(cast.organization, phone=PHONE, purpose="marketing") is not None


def test_the_contact_is_tagged_and_an_unknown_number_makes_no_contact(cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    elsewhere = ContactFactory(organization=cast.other, phone=PHONE)
    opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    opt_out(cast.organization, phone="+4915100000000", source=KEYWORD)
    assert has_stop_tag(contact)
    assert not has_stop_tag(elsewhere)
    assert Contact.objects.filter(organization=cast.organization).count() == 1


def test_whoever_gets_the_number_later_gets_the_tag(cast: Cast) -> None:
    opt_out(cast.organization, phone=PHONE, source=KEYWORD)
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    refresh_stop_tag(cast.organization, phone=PHONE)
    assert has_stop_tag(contact)


def test_a_member_ends_what_a_member_made_once_and_it_is_audited_without_the_number(cast: Cast) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source=STAFF, actor=cast.agent)
    end_by_member(standing, actor=cast.agent)
    with pytest.raises(OptOutProblem) as problem:
        end_by_member(standing, actor=cast.agent)
    assert problem.value.code == "ended"
    entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in entries] == ["opt_out.started", "opt_out.ended"]
    assert not any(PHONE in f"{entry.changes} {entry.object_label}" for entry in entries)


@pytest.mark.django_db(transaction=True)
def test_twenty_stops_and_starts_at_once_leave_one_truth() -> None:
    organization = OrganizationFactory()
    contact = ContactFactory(organization=organization, phone=PHONE)
    failures: list[BaseException] = []

    def act(number: int) -> None:
        try:
            if number % 4 == 3:
                opt_in(organization, phone=PHONE, source=KEYWORD)
            else:
                opt_out(organization, phone=PHONE, source=KEYWORD)
        except BaseException as problem:  # noqa: BLE001 - carried to the asserting thread
            failures.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    standing = OptOut.objects.filter(ended_at=None).count()
    assert standing <= 1
    assert has_stop_tag(contact) == bool(standing)
