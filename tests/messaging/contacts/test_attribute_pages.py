"""What an organization keeps about its contacts: defined on a page, entered on the contact's, used in templates."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.contacts.models import AttributeDefinition, Contact
from messaging.sending.outbox import Draft, enqueue
from messaging.templates.models import Template, TemplateVersion
from tests.conftest import Cast
from tests.factories import ContactFactory

PHONE = "+4915112345678"


def define(cast: Cast, key: str, kind: str, **more: Any) -> AttributeDefinition:
    return AttributeDefinition.objects.create(
        organization=cast.organization, key=key, label=key.title(), kind=kind, **more
    )


def fields(**more: str) -> dict[str, str]:
    return {"phone": PHONE, "name": "Anna", "email": "", "language": "", "notes": "", "time_zone": "", **more}


def test_an_attribute_is_added_changed_archived_and_taken_out(cast: Cast) -> None:
    client = cast.client("admin")
    response = client.post(
        cast.url("contacts/attributes/new/"),
        {"label": "Plan", "key": "plan", "kind": "choice", "choices": "Gold\nSilver\n\ngold\n"},
    )
    assert response.status_code == 302
    plan = AttributeDefinition.objects.get()
    assert (plan.key, plan.choices) == ("plan", ["Gold", "Silver"])
    client.post(
        cast.url(f"contacts/attributes/{plan.pk}/"), {"label": "Tariff", "choices": "Gold\nBronze", "position": "3"}
    )
    plan.refresh_from_db()
    assert (plan.label, plan.key, plan.kind, plan.choices, plan.position) == (
        "Tariff", "plan", "choice", ["Gold", "Bronze"], 3)  # fmt: skip
    for is_archived in (True, False):
        client.post(cast.url(f"contacts/attributes/{plan.pk}/archive/"))
        plan.refresh_from_db()
        assert (plan.archived_at is not None) == is_archived


@pytest.mark.parametrize(
    "changed",
    [{"key": "Plan"}, {"key": "name"}, {"key": "2x"}, {"key": ""}, {"key": "x" * 41}, {"label": ""}, {"kind": "money"},
     {"kind": "choice", "choices": " \n"}, {"kind": "choice", "choices": "x" * 81}, {"key": "taken"}],
)  # fmt: skip
def test_a_bad_attribute_is_said_at_the_field(cast: Cast, changed: dict[str, str]) -> None:
    define(cast, "taken", "text")
    data = {"label": "Plan", "key": "plan", "kind": "text", "choices": "", **changed}
    response = cast.client("admin").post(cast.url("contacts/attributes/new/"), data)
    assert response.status_code == 422
    assert b"hg-field-wrong" in response.content
    assert AttributeDefinition.objects.count() == 1


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("stranger", 404), (None, 302)])
def test_only_admins_define(cast: Cast, who: str | None, status: int) -> None:
    plan = define(cast, "plan", "text")
    client = cast.client(who)
    for path in ("", "new/", f"{plan.pk}/"):
        assert client.get(cast.url(f"contacts/attributes/{path}")).status_code == status
    assert client.post(cast.url(f"contacts/attributes/{plan.pk}/archive/")).status_code == status


def test_values_are_entered_shown_and_taken_away(cast: Cast) -> None:
    define(cast, "plan", "choice", choices=["Gold", "Silver"])
    define(cast, "points", "number")
    define(cast, "born", "date")
    define(cast, "vip", "yes_no")
    old = define(cast, "old", "text")
    client = cast.client("agent")
    values = {
        "attribute_plan": "Gold",
        "attribute_points": "12.5",
        "attribute_born": "1990-05-01",
        "attribute_vip": "no",
    }
    client.post(cast.url("contacts/new/"), fields(**values, attribute_old="x"))
    contact = Contact.objects.get()
    assert contact.attributes == {"plan": "Gold", "points": 12.5, "born": "1990-05-01", "vip": False, "old": "x"}
    # In the archive: neither asked for nor lost. A choice that is gone stays with who has it.
    client2 = cast.client("admin")
    client2.post(cast.url(f"contacts/attributes/{old.pk}/archive/"))
    AttributeDefinition.objects.filter(key="plan").update(choices=["Silver"])
    page = client.get(cast.url(f"contacts/{contact.pk}/edit/")).content.decode()
    assert "attribute_old" not in page
    assert '<option value="Gold" selected>' in page
    client.post(cast.url(f"contacts/{contact.pk}/edit/"), fields(**{**values, "attribute_points": ""}))
    contact.refresh_from_db()
    assert contact.attributes == {"plan": "Gold", "born": "1990-05-01", "vip": False, "old": "x"}
    shown = client.get(cast.url(f"contacts/{contact.pk}/")).content.decode()
    for words in ("Born", "1990-05-01", "Vip", "no", "Gold"):
        assert words in shown


@pytest.mark.parametrize(
    ("key", "value"),
    [("points", "many"), ("born", "soon"), ("vip", "perhaps"), ("plan", "Bronze"), ("city", "x" * 501)],
)
def test_a_value_of_the_wrong_type_is_said_at_its_field_and_nothing_is_saved(cast: Cast, key: str, value: str) -> None:
    for name, kind in (("points", "number"), ("born", "date"), ("vip", "yes_no"), ("city", "text")):
        define(cast, name, kind)
    define(cast, "plan", "choice", choices=["Gold"])
    response = cast.client("agent").post(cast.url("contacts/new/"), fields(**{f"attribute_{key}": value}))
    assert response.status_code == 422
    assert f'id="id_attribute_{key}_error"' in response.content.decode()
    assert not Contact.objects.exists()


def test_the_time_zone_follows_the_number_until_somebody_chooses(cast: Cast) -> None:
    client = cast.client("agent")
    client.post(cast.url("contacts/new/"), fields())
    contact = Contact.objects.get()
    assert contact.time_zone == "Europe/Berlin"
    url = cast.url(f"contacts/{contact.pk}/edit/")
    client.post(url, fields(phone="+33612345678", time_zone="Europe/Berlin"))
    contact.refresh_from_db()
    assert contact.time_zone == "Europe/Paris"
    client.post(url, fields(phone="+33612345678", time_zone="Asia/Tokyo"))
    client.post(url, fields(phone=PHONE, time_zone="Asia/Tokyo"))
    contact.refresh_from_db()
    assert contact.time_zone == "Asia/Tokyo"
    client.post(url, fields(phone=PHONE, time_zone=""))
    contact.refresh_from_db()
    assert contact.time_zone == "Europe/Berlin"
    assert client.post(url, fields(time_zone="Mars/Olympus")).status_code == 422
    client.post(url, fields(phone="+1 800 234 5678", time_zone="Europe/Berlin"))
    contact.refresh_from_db()
    assert contact.time_zone == ""  # toll-free: anywhere


def test_templates_say_an_attribute_and_ask_where_it_is_missing(cast: Cast, connection: Connection) -> None:
    define(cast, "plan", "text")
    define(cast, "vip", "yes_no")
    template = Template.objects.create(organization=cast.organization, name="Plan")
    template.current = TemplateVersion.objects.create(
        template=template, number=1, body="Your plan: {{ contact.plan }}, VIP: {{ contact.vip }}"
    )
    template.save()
    contact = ContactFactory(organization=cast.organization, phone=PHONE, attributes={"plan": "Gold", "vip": True})
    message = enqueue(cast.organization, draft=Draft(contact=contact, template=template))
    assert message.body == "Your plan: Gold, VIP: yes"
    page = cast.client("agent").get(cast.url("templates/new/")).content.decode()
    assert "contact.plan" in page
