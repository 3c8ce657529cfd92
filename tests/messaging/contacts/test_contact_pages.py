"""Pages of the address book: who may do what, and what happens with what people type."""

import uuid

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.connections.models import Connection
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.models import Contact, Tag
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

PHONE = "+4915112345678"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def anna(cast: Cast) -> Contact:
    return ContactFactory(organization=cast.organization, name="Anna Schmidt", phone=PHONE, email="anna@example.com")


def fields(**changed: str) -> dict[str, str]:
    return {"phone": "+33612345678", "name": "Ben", "email": "", "language": "", "notes": "", **changed}


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("agent", 200), ("viewer", 200), ("stranger", 404), (None, 302)]
)
def test_members_see_contacts_and_nobody_else_does(cast: Cast, anna: Contact, who: str | None, status: int) -> None:
    for path in ("contacts/", f"contacts/{anna.pk}/"):
        response = cast.client(who).get(cast.url(path))
        assert response.status_code == status
        assert (b"Anna Schmidt" in response.content) == (status == 200)


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_change_contacts(cast: Cast, anna: Contact, who: str | None, status: int) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    client = cast.client(who)
    for path in ("new/", f"{anna.pk}/edit/", f"{anna.pk}/delete/"):
        assert client.get(cast.url(f"contacts/{path}")).status_code == status
    for path in (f"{anna.pk}/delete/", f"{anna.pk}/tags/", f"{anna.pk}/tags/{tag.pk}/remove/", f"{anna.pk}/opt-out/"):
        assert client.post(cast.url(f"contacts/{path}"), {"name": "x"}).status_code == status
    assert client.post(cast.url("contacts/new/"), fields()).status_code == status
    assert Contact.objects.count() == 1
    assert not OptOut.objects.exists()


def test_a_viewer_is_offered_no_button_he_may_not_press(cast: Cast, anna: Contact) -> None:
    page = cast.client("viewer").get(cast.url(f"contacts/{anna.pk}/")).content.decode()
    for word in ("Edit", "Delete", "Send SMS", "Open conversation", "Opt out of everything", "Add a tag"):
        assert word not in page


def test_a_contact_leads_to_the_one_conversation_with_them(cast: Cast, anna: Contact) -> None:
    client = cast.client("agent")
    assert "Open conversation" in client.get(cast.url(f"contacts/{anna.pk}/")).content.decode()
    first, second = (client.post(cast.url(f"inbox/with/{anna.pk}/")) for _ in range(2))
    assert first.status_code == 302
    assert first.url == second.url
    assert cast.url(f"contacts/{anna.pk}/") in client.get(first.url).content.decode()


def test_ids_of_another_organization_are_not_found(cast: Cast, anna: Contact) -> None:
    theirs = ContactFactory(organization=cast.other)
    foreign_tag = Tag.objects.create(organization=cast.other, name="Theirs")
    client = cast.client("owner")
    for path in (f"{theirs.pk}/", f"{theirs.pk}/edit/", f"{theirs.pk}/delete/", f"{uuid.uuid4()}/"):
        assert client.get(cast.url(f"contacts/{path}")).status_code == 404
    assert client.post(cast.url(f"contacts/{anna.pk}/tags/{foreign_tag.pk}/remove/")).status_code == 404
    assert client.post(cast.url(f"contacts/{theirs.pk}/tags/"), {"name": "x"}).status_code == 404
    assert b"Anna" not in client.get(cast.url("contacts/"), {"tag": str(foreign_tag.pk)}).content


@pytest.mark.parametrize(
    ("typed", "stored", "country"),
    [
        ("0151 1234-5678", PHONE, "DE"),
        ("+33 (0)6 12 34 56 78", "+33612345678", "FR"),
        ("00 1 212 555 0123", "+12125550123", "US"),
    ],
)
def test_a_number_in_any_writing_is_stored_as_e164(cast: Cast, typed: str, stored: str, country: str) -> None:
    response = cast.client("agent").post(cast.url("contacts/new/"), fields(phone=typed), follow=True)
    contact = Contact.objects.get()
    assert (contact.phone, contact.region) == (stored, country)
    assert response.redirect_chain[0][0] == cast.url(f"contacts/{contact.pk}/")


@pytest.mark.parametrize(
    "changed",
    [{"phone": ""}, {"phone": "hello"}, {"phone": "123"}, {"phone": "+49"}, {"phone": "9" * 300}, {"phone": "\x00"},
     {"email": "nobody"}, {"name": "x" * 151}, {"name": "a\x00b"}, {"language": "xx-nonsense"}, {"notes": "x" * 5001}],
)  # fmt: skip
def test_what_cannot_be_is_said_at_the_field_and_kept(cast: Cast, changed: dict[str, str]) -> None:
    response = cast.client("agent").post(cast.url("contacts/new/"), fields(**{"name": "Typed name", **changed}))
    assert response.status_code == 422
    assert b"hg-field-wrong" in response.content
    if "name" not in changed:
        assert b"Typed name" in response.content
    assert not Contact.objects.exists()


def test_a_duplicate_leads_to_who_has_the_number(cast: Cast, anna: Contact) -> None:
    response = cast.client("agent").post(cast.url("contacts/new/"), fields(phone="0151 12345678", name="Ben"))
    page = response.content.decode()
    assert response.status_code == 422
    assert cast.url(f"contacts/{anna.pk}/") in page
    assert 'value="Ben"' in page


def test_editing_shows_the_number_as_people_write_it_and_saves(cast: Cast, anna: Contact) -> None:
    client, url = cast.client("agent"), cast.url(f"contacts/{anna.pk}/edit/")
    assert "+49 1511 2345678" in client.get(url).content.decode()
    response = client.post(url, fields(phone="+49 1511 2345678", name="Anna Weber"))
    assert response.status_code == 302
    anna.refresh_from_db()
    assert (anna.name, anna.phone) == ("Anna Weber", PHONE)


def test_a_refused_edit_still_speaks_of_the_stored_contact(cast: Cast, anna: Contact) -> None:
    ContactFactory(organization=cast.organization, phone="+33612345678", name="Ben")
    response = cast.client("agent").post(cast.url(f"contacts/{anna.pk}/edit/"), fields(name="Carla"))
    assert response.status_code == 422
    assert "<h1>Edit Anna Schmidt</h1>" in response.content.decode()
    assert Contact.objects.get(pk=anna.pk).name == "Anna Schmidt"


def test_the_number_is_recognised_while_it_is_typed(cast: Cast) -> None:
    client, url = cast.client("viewer"), cast.url("contacts/recognise/")
    page = client.post(url, {"phone": "030 123456"}, headers=HTMX).content.decode()
    assert "Germany" in page
    assert "+49 30 123456" in page
    for typed in ("", "03", "\x00", "hello", "x" * 10_000):
        assert client.post(url, {"phone": typed}, headers=HTMX).status_code == 200
    assert client.get(url).status_code == 405


@pytest.mark.parametrize(
    "query",
    ["anna", "SCHMIDT an", "0151 12345678", "+49 151 1234 5678", "0049151/12345678", "5678", "anna@EXAMPLE.com"],
)
def test_a_contact_is_found_by_any_writing(cast: Cast, anna: Contact, query: str) -> None:
    ContactFactory(organization=cast.organization, name="Ben Weber", phone="+33612345699")
    ContactFactory(organization=cast.other, name="Anna Schmidt", phone=PHONE, email="anna@example.com")
    page = cast.client("viewer").post(cast.url("contacts/"), {"q": query}, headers=HTMX).content.decode()
    assert str(anna.pk) in page
    assert page.count("<tr>") == 2  # the heading and one contact
    assert "Ben Weber" not in page


@pytest.mark.parametrize("query", ["nobody", "\x00", "%", "_____", "'; --", "9" * 300, "٠١٢٣٤٥"])
def test_odd_searches_find_nothing_and_break_nothing(cast: Cast, anna: Contact, query: str) -> None:
    response = cast.client("viewer").post(cast.url("contacts/"), {"q": query}, headers=HTMX)
    assert response.status_code == 200
    assert (str(anna.pk) in response.content.decode()) == (query == "\x00")


def test_a_searched_number_never_stands_in_an_address(cast: Cast, anna: Contact) -> None:
    client = cast.client("viewer")
    response = client.post(cast.url("contacts/"), {"q": "0151 12345678"})
    assert response.status_code == 302
    assert "12345678" not in response.url
    found = client.get(response.url).content.decode()
    assert "Anna Schmidt" in found
    assert 'value="0151 12345678"' in found
    live = client.post(cast.url("contacts/"), {"q": "0151 12345678"}, headers=HTMX)
    assert "12345678" not in live["HX-Replace-Url"]
    address = f"http://testserver{response.url}"
    typed_on = client.post(cast.url("contacts/"), {"q": "5678"}, headers={**HTMX, "HX-Current-URL": address})
    assert typed_on["HX-Replace-Url"] == response.url
    # Another member's key is worth nothing.
    assert b"0151" not in cast.client("owner").get(response.url).content


def test_filtering_by_tag(cast: Cast, anna: Contact) -> None:
    ContactFactory(organization=cast.organization, name="Ben Weber")
    client = cast.client("agent")
    client.post(cast.url(f"contacts/{anna.pk}/tags/"), {"name": "VIP"})
    tag = Tag.objects.get()
    page = client.get(cast.url("contacts/"), {"tag": str(tag.pk)}).content.decode()
    assert "Anna Schmidt" in page
    assert "Ben Weber" not in page
    assert client.get(cast.url("contacts/"), {"tag": "nonsense", "after": "nonsense"}).status_code == 200


def test_pages_go_on_where_the_last_one_ended(cast: Cast) -> None:
    ContactFactory.create_batch(55, organization=cast.organization)
    client = cast.client("viewer")
    first = client.get(cast.url("contacts/"))
    second = client.get(cast.url("contacts/"), {"after": str(first.context["page"].next)})
    shown = [contact.pk for page in (first, second) for contact in page.context["page"].contacts]
    assert len(shown) == len(set(shown)) == 55
    assert second.context["page"].next is None


def test_the_list_costs_the_same_however_long_it_is(cast: Cast) -> None:
    client = cast.client("viewer")

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(cast.url("contacts/"))
        return len(captured)

    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    for contact in ContactFactory.create_batch(2, organization=cast.organization):
        contact.tags.add(tag)
    queries()
    few = queries()
    for contact in ContactFactory.create_batch(30, organization=cast.organization):
        contact.tags.add(tag)
    assert queries() == few


def test_tags_change_in_place(cast: Cast, anna: Contact) -> None:
    client = cast.client("agent")
    page = client.post(cast.url(f"contacts/{anna.pk}/tags/"), {"name": "VIP"}, headers=HTMX).content.decode()
    assert "VIP" in page
    assert "<html" not in page
    refused = client.post(cast.url(f"contacts/{anna.pk}/tags/"), {"name": "x" * 99}, headers=HTMX).content.decode()
    assert "at most 60" in refused
    tag = Tag.objects.get()
    assert client.post(cast.url(f"contacts/{anna.pk}/tags/{tag.pk}/remove/")).status_code == 302
    assert not anna.tags.exists()


def test_opting_out_and_back_as_the_staff_decided(cast: Cast, anna: Contact) -> None:
    client = cast.client("agent")
    client.post(cast.url(f"contacts/{anna.pk}/opt-out/"))
    client.post(cast.url(f"contacts/{anna.pk}/opt-out/"))
    standing = OptOut.objects.get()
    page = client.get(cast.url(f"contacts/{anna.pk}/")).content.decode()
    assert "Subscribe again" in page
    assert "Send SMS</a>" not in page
    response = client.post(cast.url(f"opt-outs/{standing.pk}/end/"), {"contact": str(anna.pk)})
    assert response.url == cast.url(f"contacts/{anna.pk}/")
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_a_stop_can_only_be_undone_by_the_person_and_the_page_says_so(cast: Cast, anna: Contact) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP")
    client = cast.client("owner")
    page = client.get(cast.url(f"contacts/{anna.pk}/")).content.decode()
    assert "by texting START" in page
    assert "Subscribe again" not in page
    answer = client.post(cast.url(f"opt-outs/{standing.pk}/end/"), follow=True)
    assert "Only the person can undo this" in answer.content.decode()
    standing.refresh_from_db()
    assert standing.ended_at is None


def test_recent_messages_are_those_of_this_contact(cast: Cast, anna: Contact, connection: Connection) -> None:
    mine = MessageFactory(
        organization=cast.organization, connection=connection, contact=anna, phone=PHONE, body="For <b>Anna</b>"
    )
    MessageFactory(organization=cast.organization, connection=connection, body="For somebody else")
    page = cast.client("viewer").get(cast.url(f"contacts/{anna.pk}/")).content.decode()
    assert "For &lt;b&gt;Anna&lt;/b&gt;" in page
    assert cast.url(f"messages/{mine.pk}/") in page
    assert "For somebody else" not in page


def test_deleting_asks_first_and_names_what_happens(cast: Cast, anna: Contact, connection: Connection) -> None:
    MessageFactory(organization=cast.organization, connection=connection, contact=anna, status="delivered")
    MessageFactory(organization=cast.organization, connection=connection, contact=anna, status="queued")
    client, url = cast.client("agent"), cast.url(f"contacts/{anna.pk}/delete/")
    asked = client.get(url).content.decode()
    assert "The 2 messages keep their place" in asked
    assert "1 message still waits" in asked
    assert "Delete Anna Schmidt</button>" in asked
    assert Contact.objects.filter(pk=anna.pk).exists()
    assert client.post(url).url == cast.url("contacts/")
    assert not Contact.objects.filter(pk=anna.pk).exists()
    assert client.post(url).status_code == 404


def test_contacts_to_choose_from_are_the_organizations(cast: Cast, anna: Contact) -> None:
    ContactFactory(organization=cast.other, name="Anna Elsewhere")
    page = cast.client("viewer").post(cast.url("contacts/options/"), {"contact_query": "anna"}).content.decode()
    assert str(anna.pk) in page
    assert "Elsewhere" not in page


def test_empty_lists_offer_the_first_step_to_those_who_may_take_it(cast: Cast) -> None:
    assert b"Add the first contact" in cast.client("agent").get(cast.url("contacts/")).content
    assert b"Add the first contact" not in cast.client("viewer").get(cast.url("contacts/")).content


def test_header_that_is_no_address_is_no_fault(cast: Cast) -> None:
    headers = {**HTMX, "HX-Current-URL": "http://[half"}
    assert cast.client("agent").post(cast.url("contacts/"), {"q": "5678"}, headers=headers).status_code == 200
