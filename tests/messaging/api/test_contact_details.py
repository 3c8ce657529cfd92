"""Time zones, attributes, tags and filters of contacts by the API: kept, refused by name, and asked for."""

import pytest

from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_out
from messaging.contacts.models import AttributeDefinition, Contact, SavedFilter, Tag
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import Caller, field_of

PHONE = "+4915112345678"


@pytest.fixture(autouse=True)
def attributes(cast: Cast) -> None:
    for key, kind in (("plan", "choice"), ("points", "number"), ("born", "date"), ("vip", "yes_no")):
        AttributeDefinition.objects.create(
            organization=cast.organization, key=key, label=key.title(), kind=kind,
            choices=["Gold"] if kind == "choice" else [],
        )  # fmt: skip


def test_details_are_kept_answered_and_changed_one_by_one(api: Caller, cast: Cast) -> None:
    given = {"plan": "gold", "points": 12.5, "born": "1990-05-01", "vip": True}
    made = api.post("contacts", {"phone": PHONE, "attributes": given, "tags": ["VIP", "Berlin"]}).json()
    assert made["attributes"] == {**given, "plan": "Gold"}
    assert made["time_zone"] == "Europe/Berlin"
    assert sorted(made["tags"]) == ["Berlin", "VIP"]
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    change = {"attributes": {"points": None, "vip": False}, "tags": ["vip", "New"], "time_zone": "Asia/Tokyo"}
    changed = api.call("PATCH", f"contacts/{made['id']}", change).json()
    assert changed["attributes"] == {"plan": "Gold", "born": "1990-05-01", "vip": False}
    assert sorted(changed["tags"]) == ["New", STOP_TAG, "VIP"]
    assert changed["time_zone"] == "Asia/Tokyo"
    same = api.call("PATCH", f"contacts/{made['id']}", {"name": "Anna"}).json()
    assert (same["attributes"], same["tags"], same["time_zone"]) == (
        changed["attributes"], changed["tags"], "Asia/Tokyo")  # fmt: skip
    assert api.call("PATCH", f"contacts/{made['id']}", {"time_zone": ""}).json()["time_zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"attributes": {"points": "many"}}, "attributes.points", "not_a_number"),
        ({"attributes": {"points": [1]}}, "attributes.points", "not_a_number"),
        ({"attributes": {"points": True}}, "attributes.points", "not_a_number"),
        ({"attributes": {"born": 5}}, "attributes.born", "not_a_date"),
        ({"attributes": {"vip": "perhaps"}}, "attributes.vip", "not_yes_or_no"),
        ({"attributes": {"plan": "Bronze"}}, "attributes.plan", "not_a_choice"),
        ({"attributes": {"nothing": 1}}, "attributes.nothing", "unknown"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "unknown_time_zone"),
        ({"tags": ["  "]}, "tags", "empty"),
        ({"tags": [STOP_TAG]}, "tags", "reserved"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name_and_nothing_is_saved(
    api: Caller, cast: Cast, body: dict[str, object], field: str, code: str
) -> None:
    assert field_of(api.post("contacts", {"phone": PHONE, **body})) == (field, code)
    assert not Contact.objects.exists()
    contact = ContactFactory(organization=cast.organization)
    assert field_of(api.call("PATCH", f"contacts/{contact.pk}", body)) == (field, code)
    contact.refresh_from_db()
    assert (contact.attributes, contact.tags.count()) == ({}, 0)


def test_the_list_is_narrowed_by_tag_country_language_and_saved_filter(api: Caller, cast: Cast) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    anna = ContactFactory(organization=cast.organization, region="DE", language="de")
    anna.tags.add(tag)
    ben = ContactFactory(organization=cast.organization, region="FR", language="fr")
    saved = SavedFilter.objects.create(organization=cast.organization, name="x", wanted={"countries": ["FR"]})
    theirs = SavedFilter.objects.create(organization=cast.other, name="x", wanted={"countries": ["FR"]})

    def ids(query: str) -> list[str]:
        return [item["id"] for item in api.get(f"contacts?{query}").json()["items"]]

    assert ids("tag=vip") == ids("country=de") == ids("language=de") == [str(anna.pk)]
    assert ids(f"filter={saved.pk}") == [str(ben.pk)]
    assert ids(f"filter={saved.pk}&tag=VIP") == []
    assert field_of(api.get(f"contacts?filter={theirs.pk}")) == ("filter", "unknown_filter")
    assert field_of(api.get("contacts?tag=nothing")) == ("tag", "unknown_tag")
    assert ids("country=XX") == []
