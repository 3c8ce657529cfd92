"""Pages of templates: who may do what, the live preview, and two members at one template."""

import uuid

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.publishing import create, publish
from messaging.contacts.models import Contact
from messaging.templates.models import Template
from messaging.templates.wording import archive, create_template, save_wording
from tests.conftest import Cast
from tests.factories import ContactFactory

HTMX = {"HX-Request": "true"}
BODY = "Hello {{ first_name }}, your parcel is here."


@pytest.fixture
def template(cast: Cast) -> Template:
    return create_template(cast.organization, name="Delivery", body=BODY, actor=cast.agent)


@pytest.fixture
def anna(cast: Cast) -> Contact:
    return ContactFactory(organization=cast.organization, name="Anna Schmidt")


def fields(**changed: str) -> dict[str, str]:
    return {"name": "Delivery", "body": BODY, "based_on": "1", **changed}


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("agent", 200), ("viewer", 200), ("stranger", 404), (None, 302)]
)
def test_members_see_templates_and_nobody_else_does(
    cast: Cast, template: Template, who: str | None, status: int
) -> None:
    client = cast.client(who)
    for path in ("templates/", f"templates/{template.pk}/"):
        response = client.get(cast.url(path))
        assert response.status_code == status
        assert (b"Delivery" in response.content) == (status == 200)
    assert client.post(cast.url("templates/measure/"), {"body": "x"}).status_code == status


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_change_templates(cast: Cast, template: Template, who: str | None, status: int) -> None:
    client = cast.client(who)
    for path in ("new/", f"{template.pk}/edit/"):
        assert client.get(cast.url(f"templates/{path}")).status_code == status
        assert client.post(cast.url(f"templates/{path}"), fields(name="New", body="New")).status_code == status
    for path in ("versions/1/restore/", "duplicate/", "archive/", "unarchive/"):
        assert client.post(cast.url(f"templates/{template.pk}/{path}")).status_code == status
    template.refresh_from_db()
    assert (template.name, template.archived_at, Template.objects.count()) == ("Delivery", None, 1)


def test_templates_of_another_organization_are_not_found(cast: Cast, template: Template) -> None:
    theirs = create_template(cast.other, name="Theirs", body="x", actor=cast.stranger)
    client = cast.client("owner")
    for pk in (theirs.pk, uuid.uuid4()):
        for path in ("", "edit/"):
            assert client.get(cast.url(f"templates/{pk}/{path}")).status_code == 404
        for path in ("versions/1/restore/", "duplicate/", "archive/", "unarchive/"):
            assert client.post(cast.url(f"templates/{pk}/{path}")).status_code == 404
    assert b"Theirs" not in client.get(cast.url("templates/")).content


def test_a_template_is_written_once_however_often_the_form_arrives(cast: Cast) -> None:
    client = cast.client("agent")
    first, second = (client.post(cast.url("templates/new/"), fields(based_on="")) for _ in range(2))
    made = Template.objects.get()
    assert first.url == second.url == cast.url(f"templates/{made.pk}/")


@pytest.mark.parametrize(
    "changed",
    [{"name": ""}, {"name": "x" * 81}, {"body": ""}, {"body": "x" * 1700}, {"body": "{{ name"},
     {"body": "{% load x %}"}, {"body": "\x00"}, {"body": "x" * 200_000}, {"name": "a\x00b"}],
)  # fmt: skip
def test_what_cannot_be_is_said_at_the_field_and_kept(cast: Cast, changed: dict[str, str]) -> None:
    response = cast.client("agent").post(cast.url("templates/new/"), fields(**changed))
    assert response.status_code == 422
    assert b"hg-field-wrong" in response.content
    if "body" not in changed:
        assert b"your parcel is here" in response.content
    assert not Template.objects.exists()


def test_a_taken_name_leads_to_the_template_that_has_it(cast: Cast, template: Template) -> None:
    page = cast.client("agent").post(cast.url("templates/new/"), fields(body="Other text")).content.decode()
    assert cast.url(f"templates/{template.pk}/") in page
    assert "Other text" in page


def test_saving_a_new_wording_and_restoring_the_old(cast: Cast, template: Template) -> None:
    client = cast.client("agent")
    response = client.post(cast.url(f"templates/{template.pk}/edit/"), fields(body="Other text"), follow=True)
    assert "Version 2 is in force" in response.content.decode()
    restored = client.post(cast.url(f"templates/{template.pk}/versions/1/restore/"), follow=True).content.decode()
    assert "as version 3" in restored
    template.refresh_from_db()
    assert template.current is not None
    assert template.current.body == BODY
    odd = client.post(cast.url(f"templates/{template.pk}/versions/99999999999999/restore/"), follow=True)
    assert "There is no such version" in odd.content.decode()


def test_the_second_of_two_members_keeps_the_text_and_sees_theirs(cast: Cast, template: Template) -> None:
    save_wording(template, name="Delivery", body="Text of the owner", based_on=1, actor=cast.owner)
    client, url = cast.client("agent"), cast.url(f"templates/{template.pk}/edit/")
    response = client.post(url, fields(body="Text of the agent"))
    page = response.content.decode()
    assert response.status_code == 422
    for words in (
        "Owner saved version 2 meanwhile",
        "Text of the owner",
        "Text of the agent",
        "Save mine over version 2",
    ):
        assert words in page
    assert 'name="based_on" value="2"' in page
    assert client.post(url, fields(body="Text of the agent", based_on="2")).status_code == 302
    template.refresh_from_db()
    assert template.current is not None
    assert (template.current.number, template.current.body) == (3, "Text of the agent")


@pytest.mark.parametrize("based_on", ["", "nonsense", "-5", "9" * 40])
def test_an_odd_version_number_overwrites_nothing(cast: Cast, template: Template, based_on: str) -> None:
    response = cast.client("agent").post(
        cast.url(f"templates/{template.pk}/edit/"), fields(body="Other", based_on=based_on)
    )
    assert response.status_code == 422
    template.refresh_from_db()
    assert template.current is not None
    assert template.current.number == 1


def test_archiving_and_bringing_back(cast: Cast, template: Template) -> None:
    client = cast.client("agent")
    assert "What is queued with it still goes out" in client.get(cast.url(f"templates/{template.pk}/")).content.decode()
    assert "is archived" in client.post(cast.url(f"templates/{template.pk}/archive/"), follow=True).content.decode()
    assert b"Delivery" not in client.get(cast.url("templates/")).content
    assert b"Delivery" in client.get(cast.url("templates/"), {"archived": "1"}).content
    refused = client.post(cast.url(f"templates/{template.pk}/edit/"), fields(body="New"))
    assert b"archived" in refused.content
    client.post(cast.url(f"templates/{template.pk}/unarchive/"))
    assert b"Delivery" in client.get(cast.url("templates/")).content


def test_automations_that_write_with_it_are_named_before_and_after_it_is_archived(
    cast: Cast, template: Template
) -> None:
    client, address = cast.client("owner"), cast.url(f"templates/{template.pk}/")
    send = NodeSpec("n1", "send_sms", {"to": "typed", "numbers": "+4930123456", "template": str(template.pk)})
    made = create(cast.organization, name="Greet", flow=Flow("api_event", {"name": "a"}, (send,), 1), actor=cast.owner)
    assert b"Greet" not in client.get(address).content, "a draft sends nothing"
    publish(made, actor=cast.owner)
    page = client.get(address).content.decode()
    assert "Automations write with it:" in page and "1 automation of yours writes with it" in page
    archive(template, actor=cast.owner)
    assert "These automations write with it, and fail at that step" in client.get(address).content.decode()


def test_a_copy_opens_in_the_editor(cast: Cast, template: Template) -> None:
    response = cast.client("agent").post(cast.url(f"templates/{template.pk}/duplicate/"))
    copy = Template.objects.get(name="Delivery (copy)")
    assert response.url == cast.url(f"templates/{copy.pk}/edit/")


def test_the_preview_shows_the_text_for_a_contact(cast: Cast, anna: Contact) -> None:
    client, url = cast.client("agent"), cast.url("templates/measure/")
    page = client.post(url, {"body": BODY, "contact": str(anna.pk)}, headers=HTMX).content.decode()
    assert '<span class="hg-value">Anna</span>' in page
    assert "GSM-7" in page
    assert "<html" not in page
    by_hand = client.post(url, {"body": "{{ code }}", "var_code": "<b>42</b>"}, headers=HTMX).content.decode()
    assert "&lt;b&gt;42&lt;/b&gt;" in by_hand


def test_the_preview_takes_the_wording_of_a_template(cast: Cast, template: Template, anna: Contact) -> None:
    data = {"body": "ignored", "template": str(template.pk), "contact": str(anna.pk)}
    page = cast.client("agent").post(cast.url("templates/measure/"), data, headers=HTMX).content.decode()
    assert "your parcel is here" in page
    assert "ignored" not in page


def test_the_preview_knows_nothing_of_other_organizations(cast: Cast) -> None:
    theirs = create_template(cast.other, name="Theirs", body="Their secret plan", actor=cast.stranger)
    contact = ContactFactory(organization=cast.other, name="Elsewhere")
    data = {"body": "Hi {{ name }}", "template": str(theirs.pk), "contact": str(contact.pk)}
    page = cast.client("owner").post(cast.url("templates/measure/"), data, headers=HTMX).content.decode()
    assert "secret plan" not in page
    assert "Elsewhere" not in page


@pytest.mark.parametrize("body", ["", "\x00", "{{", "{% x %}", "x" * 1700, "‮abc", "😀" * 900, "{{ a }}" * 300])
def test_the_preview_bears_whatever_is_typed(cast: Cast, body: str) -> None:
    data = {"body": body, "contact": "nonsense", "template": "nonsense"}
    assert cast.client("viewer").post(cast.url("templates/measure/"), data, headers=HTMX).status_code == 200


def test_plain_characters_are_offered_and_put_in_without_scripts_too(cast: Cast, template: Template) -> None:
    client, url = cast.client("agent"), cast.url(f"templates/{template.pk}/edit/")
    offer = client.post(cast.url("templates/measure/"), {"body": "It’s ready…"}, headers=HTMX).content.decode()
    assert 'data-text="It&#x27;s ready..."' in offer
    assert "right single quotation mark" in offer
    page = client.post(url, fields(body="It’s ready…", do="plain")).content.decode()
    assert "It&#x27;s ready...</textarea>" in page
    template.refresh_from_db()
    assert template.current is not None
    assert template.current.number == 1


def test_the_list_searches_name_and_text(cast: Cast, template: Template) -> None:
    create_template(cast.organization, name="Reminder", body="Tomorrow at ten", actor=cast.agent)
    client = cast.client("viewer")
    for query, found, absent in (("deliv", b"Delivery", b"Reminder"), ("tomorrow", b"Reminder", b"Delivery")):
        page = client.get(cast.url("templates/"), {"q": query}, headers=HTMX)
        assert found in page.content
        assert absent not in page.content
        assert b"<html" not in page.content
        assert "HX-Request" in page["Vary"]
    for query in ("\x00", "%", "x" * 3000):
        assert client.get(cast.url("templates/"), {"q": query, "page": "nonsense"}).status_code == 200


def test_the_list_costs_the_same_however_long_it_is(cast: Cast) -> None:
    client = cast.client("viewer")

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(cast.url("templates/"))
        return len(captured)

    for number in range(2):
        create_template(cast.organization, name=f"T{number}", body=f"Text {number}", actor=cast.agent)
    queries()
    few = queries()
    for number in range(2, 55):
        create_template(cast.organization, name=f"T{number}", body=f"Text {number}", actor=cast.agent)
    assert queries() == few
    assert b"Page 1 of 2" in client.get(cast.url("templates/")).content


def test_the_page_of_a_template_costs_the_same_however_many_versions(cast: Cast, template: Template) -> None:
    client, url = cast.client("viewer"), cast.url(f"templates/{template.pk}/")

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(url)
        return len(captured)

    queries()
    few = queries()
    for number in range(1, 20):
        save_wording(template, name="Delivery", body=f"Text {number}", based_on=number, actor=cast.agent)
    assert queries() == few


def test_an_empty_list_says_what_belongs_there(cast: Cast, template: Template) -> None:
    archive(template, actor=cast.agent)
    assert b"Write the first template" in cast.client("agent").get(cast.url("templates/")).content
    assert b"Write the first template" not in cast.client("viewer").get(cast.url("templates/")).content
    assert b"No template fits" in cast.client("viewer").get(cast.url("templates/"), {"q": "zzz"}).content
