"""Two contacts that are one person: what is kept, what moves, what stays in force, and two merges at once."""

import threading

import pytest
from django.db import connections

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry, Organization
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_out
from messaging.contacts import merging
from messaging.contacts.merging import MergeProblem, merge
from messaging.contacts.models import AttributeDefinition, Contact, Tag
from messaging.inbox.models import Conversation
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, enqueue
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory, OrganizationFactory, UserFactory

ONE, TWO = "+4915112345678", "+33612345678"


@pytest.fixture
def pair(cast: Cast) -> tuple[Contact, Contact]:
    first = ContactFactory(
        organization=cast.organization, name="Anna Schmidt", phone=ONE, email="anna@example.com", notes="old notes",
        attributes={"plan": "Gold", "points": 1}, time_zone="Europe/Berlin",
    )  # fmt: skip
    second = ContactFactory(
        organization=cast.organization, name="A. Schmidt", phone=TWO, region="FR", email="ANNA@example.com",
        language="fr", notes="more", attributes={"points": 2, "city": "Paris"}, time_zone="Europe/Paris",
    )  # fmt: skip
    return first, second


def test_values_are_chosen_gaps_are_filled_and_everything_moves(
    cast: Cast, pair: tuple[Contact, Contact], connection: Connection
) -> None:
    first, second = pair
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    second.tags.add(tag)
    theirs = MessageFactory(organization=cast.organization, connection=connection, contact=second, phone=TWO)
    talk = Conversation.objects.create(organization=cast.organization, phone=TWO, contact=second)
    chosen = ["name", "attribute_points"]
    kept = merge(cast.organization, keep=first.pk, drop=second.pk, from_dropped=chosen, actor=cast.agent)
    assert not Contact.objects.filter(pk=second.pk).exists()
    kept.refresh_from_db()
    assert (kept.pk, kept.name, kept.phone, kept.region) == (first.pk, "A. Schmidt", ONE, "DE")
    assert (kept.email, kept.language, kept.time_zone) == ("anna@example.com", "fr", "Europe/Berlin")
    assert kept.attributes == {"plan": "Gold", "points": 2, "city": "Paris"}
    assert "old notes" in kept.notes
    assert "more" in kept.notes
    assert "+33 6 12 34 56 78" in kept.notes
    assert [tag.name for tag in kept.tags.all()] == ["VIP"]
    assert Message.objects.get(pk=theirs.pk).contact == kept
    assert Conversation.objects.get(pk=talk.pk).contact == kept
    entry = AuditEntry.objects.get(action="contact.merged")
    assert TWO not in str(entry.changes)


def test_the_other_number_can_be_kept_and_nobody_else_has_it(cast: Cast, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    kept = merge(cast.organization, keep=first.pk, drop=second.pk, from_dropped=["phone"], actor=cast.agent)
    assert (kept.phone, kept.region) == (TWO, "FR")
    assert Contact.objects.filter(organization=cast.organization).count() == 1
    # The number that was let go belongs to nobody: whoever has it may become a contact.
    ContactFactory(organization=cast.organization, phone=ONE)


def test_opt_outs_of_both_numbers_stay_in_force(
    cast: Cast, pair: tuple[Contact, Contact], connection: Connection
) -> None:
    first, second = pair
    opt_out(cast.organization, phone=TWO, source=OptOut.Source.KEYWORD)
    kept = merge(cast.organization, keep=first.pk, drop=second.pk, from_dropped=[], actor=cast.agent)
    assert not kept.tags.filter(name=STOP_TAG).exists()  # its own number did not opt out
    blocked = enqueue(cast.organization, draft=Draft(to=TWO, body="Hello"))
    assert (blocked.status, blocked.error_reason) == ("blocked", "opted_out")
    assert enqueue(cast.organization, draft=Draft(contact=kept, body="Hello")).status == "queued"


def test_taking_over_an_opted_out_number_takes_over_the_tag(cast: Cast, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    opt_out(cast.organization, phone=TWO, source=OptOut.Source.KEYWORD)
    kept = merge(cast.organization, keep=first.pk, drop=second.pk, from_dropped=["phone"], actor=cast.agent)
    assert kept.tags.filter(name=STOP_TAG).exists()


def test_merging_again_with_oneself_or_with_a_stranger_is_refused(cast: Cast, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    stranger = ContactFactory(organization=cast.other)
    for drop in (first, stranger):
        with pytest.raises(MergeProblem):
            merge(cast.organization, keep=first.pk, drop=drop.pk, from_dropped=[], actor=cast.agent)
    merge(cast.organization, keep=first.pk, drop=second.pk, from_dropped=[], actor=cast.agent)
    with pytest.raises(MergeProblem):
        merge(cast.organization, keep=first.pk, drop=second.pk, from_dropped=[], actor=cast.agent)


@pytest.mark.django_db(transaction=True)
def test_two_merges_in_opposite_directions_leave_one_contact() -> None:
    organization: Organization = OrganizationFactory()
    user = UserFactory()
    one, two = (ContactFactory(organization=organization, phone=phone) for phone in (ONE, TWO))
    outcomes: list[str] = []

    def go(keep: Contact, drop: Contact) -> None:
        try:
            merge(organization, keep=keep.pk, drop=drop.pk, from_dropped=["phone"], actor=user)
            outcomes.append("merged")
        except MergeProblem:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["merged", "refused"]
    assert Contact.objects.filter(organization=organization).count() == 1


def test_suggestions_name_what_is_the_same(cast: Cast, pair: tuple[Contact, Contact]) -> None:
    for number in ("+4915100000001", "+4915100000002"):
        ContactFactory(organization=cast.organization, name="Ben Weber", phone=number)
        ContactFactory(organization=cast.organization, name="Anna", phone=number[:-1] + "9" + number[-1])
    ContactFactory(organization=cast.other, name="Elsewhere", email="anna@example.com")
    found = {one.reason: {contact.name for contact in one.contacts} for one in merging.suggestions(cast.organization)}
    assert found == {
        "the same e-mail address": {"Anna Schmidt", "A. Schmidt"},
        "the same name in the same country": {"Ben Weber"},
    }


def test_the_pages_lead_from_the_suggestion_to_the_merged_contact(cast: Cast, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    AttributeDefinition.objects.create(organization=cast.organization, key="points", label="Points", kind="number")
    client, url = cast.client("agent"), cast.url(f"contacts/{first.pk}/merge/{second.pk}/")
    assert url in client.get(cast.url("contacts/duplicates/")).content.decode()
    page = client.get(url).content.decode()
    for words in ("Points", "Anna Schmidt", "A. Schmidt", "+33 6 12 34 56 78", "Merge the two contacts"):
        assert words in page
    response = client.post(url, {"name": "second", "phone": "first", "attribute_points": "second"})
    assert response.url == cast.url(f"contacts/{first.pk}/")
    assert Contact.objects.get(pk=first.pk).attributes["points"] == 2
    assert client.post(url).status_code == 404


def test_the_other_one_is_searched_for_without_a_number_in_the_address(
    cast: Cast, pair: tuple[Contact, Contact]
) -> None:
    first, second = pair
    url = cast.url(f"contacts/{first.pk}/merge/")
    page = cast.client("agent").post(url, {"q": "06 12 34 56 78"}).content.decode()
    assert cast.url(f"contacts/{first.pk}/merge/{second.pk}/") in page
    assert cast.url(f"contacts/{first.pk}/merge/{first.pk}/") not in page


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_merge(cast: Cast, pair: tuple[Contact, Contact], who: str | None, status: int) -> None:
    url = cast.url(f"contacts/{pair[0].pk}/merge/{pair[1].pk}/")
    assert cast.client(who).post(url).status_code == status
    assert cast.client(who).get(cast.url("contacts/duplicates/")).status_code == status
    assert Contact.objects.count() == 2
