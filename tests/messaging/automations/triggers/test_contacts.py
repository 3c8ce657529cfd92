"""Contacts made, tagged, changed, opted out: told wherever it happens, once, and for nothing where nobody listens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.organizations.models import Organization
from integrations.phones import parse_phone
from messaging.automations.models import Automation
from messaging.automations.publishing import pause
from messaging.consent.many_opt_outs import opt_out_many
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_out
from messaging.contacts import bulk
from messaging.contacts.address_book import Details, add_tag, create_contact, set_tags, update_contact
from messaging.contacts.merging import merge
from messaging.contacts.models import AttributeDefinition, Contact, Tag
from messaging.contacts.tagging import give_tags
from messaging.happenings.models import Happening
from messaging.jobs import work
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import Listening, begun, describe, told, wrong

pytestmark = pytest.mark.django_db


def details(phone: str = "+4930123456", **values: Any) -> Details:
    return Details(phone=parse_phone(phone, region=None), **values)


def made(organization: Organization, phone: str = "+4930123456", actor: Any = "API key Shop") -> Contact:
    return create_contact(organization, details=details(phone), actor=actor)


def city(cast: Cast) -> AttributeDefinition:
    return AttributeDefinition.objects.create(organization=cast.organization, key="city", label="City")


def test_a_new_contact_sets_it_off_once(cast: Cast, listening: Listening) -> None:
    automation = listening("contact_created")
    contact = made(cast.organization)
    made(cast.organization)  # the same form sent twice
    assert begun(automation) == [{"source": "system"}] == begun(automation)
    assert automation.runs.get().contact == contact


def test_of_a_stranger_nobody_hears(cast: Cast, listening: Listening) -> None:
    ours, theirs = listening("contact_created"), listening("contact_created", by="stranger")
    made(cast.organization)
    assert len(begun(ours)) == 1 and begun(theirs) == []


def test_a_colleague_who_pauses_it_is_obeyed(cast: Cast, listening: Listening) -> None:
    automation = listening("contact_created", by="owner")
    pause(automation, actor=cast.admin)
    made(cast.organization)
    assert begun(automation) == [] and not Happening.objects.exists()


def test_only_those_of_the_chosen_source_are_meant(cast: Cast, listening: Listening) -> None:
    automation = listening("contact_created", sources=["member"])
    made(cast.organization)
    made(cast.organization, "+4930123457", cast.agent)
    assert begun(automation) == [{"source": "member"}]
    assert wrong(cast, "contact_created", sources=["nobody"]) != []


def tag_one(cast: Cast, contact: Contact) -> None:
    add_tag(contact, name="VIP", actor=cast.agent)


def tag_set(cast: Cast, contact: Contact) -> None:
    set_tags(contact, names=["VIP"], actor=cast.agent)


def tag_in_bulk(cast: Cast, contact: Contact) -> None:
    job = bulk.start_bulk(
        cast.organization,
        kind=bulk.TAG,
        choice=bulk.choose([str(contact.pk)]),
        total=1,
        tag_name="VIP",
        actor=cast.agent,
    )
    assert work.run(job.pk)


@pytest.mark.parametrize("give", [tag_one, tag_set, tag_in_bulk])
def test_a_tag_sets_it_off_when_it_is_new(
    cast: Cast, listening: Listening, give: Callable[[Cast, Contact], None]
) -> None:
    automation, contact = listening("contact_tagged"), ContactFactory(organization=cast.organization)
    give(cast, contact)
    give(cast, contact)
    assert begun(automation) == [{"tag": "VIP"}]
    assert automation.runs.get().phone == contact.phone


def test_only_the_chosen_tag_is_meant(cast: Cast, listening: Listening) -> None:
    contact, vip = (
        ContactFactory(organization=cast.organization),
        Tag.objects.create(organization=cast.organization, name="VIP"),
    )
    automation = listening("contact_tagged", tag=str(vip.pk))
    for name in ("new", "vip"):
        add_tag(contact, name=name, actor=cast.agent)
    assert begun(automation) == [{"tag": "VIP"}]
    assert describe(cast, "contact_tagged", tag=str(vip.pk)) == "When a contact gets the tag VIP"
    gone = str(vip.pk)
    vip.delete()
    assert "deleted" in wrong(cast, "contact_tagged", tag=gone)[0]


def test_many_tags_are_one_statement_and_none_more_where_nobody_listens(cast: Cast, listening: Listening) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    contacts = ContactFactory.create_batch(5, organization=cast.organization)
    with CaptureQueriesContext(
        database,
    ) as queries:
        assert len(give_tags((one.pk, tag.pk) for one in contacts)) == 5
    assert len(queries) == 1 and not Happening.objects.exists()
    listening("contact_tagged")
    more = ContactFactory.create_batch(3, organization=cast.organization)
    with CaptureQueriesContext(database) as queries:
        assert len(give_tags((one.pk, tag.pk) for one in [*contacts, *more])) == 3
    assert len(queries) == 1 and len(told("contact.tagged")) == 3


def test_a_tag_of_a_merged_contact_is_new_to_the_one_that_stays(cast: Cast, listening: Listening) -> None:
    tagged, changed = listening("contact_tagged"), listening("contact_changed", field="name")
    kept, dropped = (ContactFactory(organization=cast.organization, name=name) for name in ("", "Ada"))
    Contact.objects.update(notes="")
    add_tag(dropped, name="VIP", actor=cast.agent)
    merge(cast.organization, keep=kept.pk, drop=dropped.pk, from_dropped=[], actor=cast.agent)
    begun(tagged)
    assert automation_contacts(tagged)[-1] == kept.pk
    (data,) = begun(changed)
    assert (data["field"], data["before"], data["after"]) == ("name", "", "Ada")


def automation_contacts(automation: Automation) -> list[Any]:
    return list(automation.runs.order_by("id").values_list("contact_id", flat=True))


def test_a_changed_attribute_sets_it_off_with_both_values(cast: Cast, listening: Listening) -> None:
    city(cast)
    contact = ContactFactory(organization=cast.organization, attributes={"city": "Berlin"})
    automation = listening("contact_changed", field="city", after="hamburg")
    change = details(contact.phone, attributes={"city": "Hamburg"})
    update_contact(contact, details=change, actor=cast.agent)
    update_contact(contact, details=change, actor=cast.agent)
    (data,) = begun(automation)
    assert (data["before"], data["after"]) == ("Berlin", "Hamburg") and "city" in data["changed"]


def test_another_field_or_value_is_not_meant(cast: Cast, listening: Listening) -> None:
    city(cast)
    contact = ContactFactory(organization=cast.organization, attributes={"city": "Berlin"})
    automation = listening("contact_changed", field="city", before="Bonn")
    update_contact(contact, details=details(contact.phone, attributes={"city": "Hamburg"}), actor=cast.agent)
    update_contact(contact, details=details(contact.phone, name="Ada"), actor=cast.agent)
    assert begun(automation) == []


def test_no_number_address_or_note_is_told(cast: Cast, listening: Listening) -> None:
    listening("contact_changed")
    contact = ContactFactory(organization=cast.organization, email="a@example.com", notes="x")
    update_contact(contact, details=details("+4930999999", email="b@example.com", notes="secret"), actor=cast.agent)
    (data,) = told("contact.changed")
    assert {"phone", "email", "notes"} <= set(data["changed"])
    assert "secret" not in str(data) and "example.com" not in str(data) and "4930" not in str(data)


def test_a_field_that_is_archived_or_cannot_be_compared_is_refused(cast: Cast) -> None:
    assert "archived" in wrong(cast, "contact_changed", field="city")[0]
    assert "compared" in wrong(cast, "contact_changed", field="phone", after="+49")[0]
    assert wrong(cast, "contact_changed") == []


def test_an_opt_out_sets_it_off_once_by_any_way(cast: Cast, listening: Listening) -> None:
    automation = listening("contact_opted_out")
    contact = ContactFactory(organization=cast.organization, phone="+4930123456")
    for _ in range(2):
        opt_out(cast.organization, phone=contact.phone, source=OptOut.Source.KEYWORD, keyword="STOP")
        opt_out_many(cast.organization, evidence={"+4930123457": {}, contact.phone: {}}, source=OptOut.Source.IMPORT)
    opt_out(cast.other, phone=contact.phone, source=OptOut.Source.KEYWORD)
    first, second = begun(automation)
    assert first == {"phone": contact.phone, "source": "keyword", "keyword": "STOP"}
    assert second["phone"] == "+4930123457"
    assert automation_contacts(automation) == [contact.pk, None]


def test_the_tag_of_an_opt_out_is_a_tag_like_others(cast: Cast, listening: Listening) -> None:
    automation, contact = listening("contact_tagged"), ContactFactory(organization=cast.organization)
    opt_out(cast.organization, phone=contact.phone, source=OptOut.Source.STAFF)
    assert begun(automation) == [{"tag": STOP_TAG}]
