"""Contacts, templates and opt-outs by API: happy path, refusal, stranger, second run."""

import uuid

import pytest

from integrations.organizations.models import AuditEntry
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG, find_block, opt_out
from messaging.contacts.models import Contact
from messaging.templates.models import Template
from messaging.templates.wording import archive
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import Caller, field_of, problem_of

PHONE = "+4915112345678"


# ---- contacts


def test_a_contact_from_birth_to_death(api: Caller, cast: Cast) -> None:
    made = api.post("contacts", {"phone": "0151 12345678", "name": "Anna", "email": "a@example.com", "language": "de"})
    assert made.status_code == 201
    told = made.json()
    assert made["Location"] == f"/api/v1/contacts/{told['id']}"
    assert (told["phone"], told["country"], told["tags"]) == (PHONE, "DE", [])
    assert api.get(f"contacts/{told['id']}").json() == told

    changed = api.call("PATCH", f"contacts/{told['id']}", {"name": "Anna Weber", "notes": "Rings twice"})
    assert changed.status_code == 200
    assert changed.json() | {"updated_at": ""} == told | {
        "name": "Anna Weber",
        "notes": "Rings twice",
        "updated_at": "",
    }

    assert api.call("DELETE", f"contacts/{told['id']}").status_code == 204
    problem_of(api.call("DELETE", f"contacts/{told['id']}"), 404, "not_found")
    assert not Contact.objects.exists()
    entries = AuditEntry.objects.filter(action__startswith="contact.").order_by("id")
    assert [entry.action for entry in entries] == ["contact.created", "contact.changed", "contact.deleted"]
    assert {entry.actor_label for entry in entries} == {f"API key Shop ({api.key[:11]}…)"}
    assert PHONE not in str(list(entries.values()))


@pytest.mark.parametrize("name", ["Anna", "Somebody else"])
def test_a_number_has_one_contact(api: Caller, cast: Cast, name: str) -> None:
    first = api.post("contacts", {"phone": PHONE, "name": "Anna"}).json()
    problem = problem_of(api.post("contacts", {"phone": "0151 12345678", "name": name}), 409, "contact_exists")
    assert problem["contact_id"] == first["id"]
    other = ContactFactory(organization=cast.organization)
    problem = problem_of(api.call("PATCH", f"contacts/{other.pk}", {"phone": PHONE}), 409, "contact_exists")
    assert problem["contact_id"] == first["id"]
    assert Contact.objects.get(pk=first["id"]).name == "Anna"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "phone", "required"),
        ({"phone": "12"}, "phone", "too_short"),
        ({"phone": PHONE, "email": "nobody"}, "email", "bad_email"),
        ({"phone": PHONE, "language": "xx"}, "language", "unknown_language"),
        ({"phone": PHONE, "name": "x" * 151}, "name", "too_long"),
        ({"phone": PHONE, "name": None}, "name", "not_a_string"),
        ({"phone": PHONE, "notes": "x" * 5001}, "notes", "too_long"),
        ({"phone": PHONE, "labels": ["x"]}, "labels", "unknown_field"),
    ],
)
def test_bad_contacts_name_their_field(api: Caller, body: dict[str, object], field: str, code: str) -> None:
    assert field_of(api.post("contacts", body)) == (field, code)
    assert not Contact.objects.exists()


def test_an_empty_change_changes_nothing(api: Caller, cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, name="Anna", phone=PHONE)
    told = api.call("PATCH", f"contacts/{contact.pk}", {})
    assert (told.status_code, told.json()["name"]) == (200, "Anna")
    assert field_of(api.call("PATCH", f"contacts/{contact.pk}", {"phone": ""})) == ("phone", "empty")
    assert not AuditEntry.objects.filter(action="contact.changed").exists()


def test_contacts_of_others_do_not_exist(stranger: Caller, cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, name="Anna", phone=PHONE)
    for method in ("GET", "PATCH", "DELETE"):
        problem_of(stranger.call(method, f"contacts/{contact.pk}", {} if method == "PATCH" else None), 404, "not_found")
    assert stranger.get("contacts").json()["items"] == []
    assert stranger.post("contacts", {"phone": PHONE}).status_code == 201
    contact.refresh_from_db()
    assert contact.name == "Anna"


def test_contacts_in_pages_and_by_number(
    api: Caller, cast: Cast, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    made = [ContactFactory(organization=cast.organization) for _ in range(5)]
    first = api.get("contacts?limit=3").json()
    with django_assert_num_queries(3):  # the key, the contacts, their tags
        second = api.get(f"contacts?limit=3&cursor={first['next']}").json()
    assert [item["id"] for item in first["items"] + second["items"]] == [str(one.pk) for one in reversed(made)]
    assert second["next"] is None
    found = api.get(f"contacts?phone={made[2].phone}").json()["items"]
    assert [item["id"] for item in found] == [str(made[2].pk)]


# ---- templates


def test_a_template_and_its_wordings(api: Caller, cast: Cast) -> None:
    body = 'Hello {{ name | "there" }}, from {{ window }}.'
    made = api.post("templates", {"name": "Delivery", "body": body})
    assert made.status_code == 201
    told = made.json()
    assert made["Location"] == f"/api/v1/templates/{told['id']}"
    assert (told["version"], told["body"], told["archived_at"]) == (1, body, None)
    assert told["variables"] == [{"name": "name", "required": False}, {"name": "window", "required": True}]
    assert api.get(f"templates/{told['id']}").json() == told
    assert [item["id"] for item in api.get("templates").json()["items"]] == [told["id"]]

    reworded = api.call("PUT", f"templates/{told['id']}", {"body": "Hi", "based_on": 1})
    assert reworded.status_code == 200
    assert (reworded.json()["version"], reworded.json()["name"], reworded.json()["body"]) == (2, "Delivery", "Hi")
    again = api.call("PUT", f"templates/{told['id']}", {"body": "Hi", "name": "Delivery 2"}).json()
    assert (again["version"], again["name"]) == (2, "Delivery 2")
    problem = problem_of(
        api.call("PUT", f"templates/{told['id']}", {"body": "Ho", "based_on": 1}), 409, "saved_meanwhile"
    )
    assert problem["version"] == 2


@pytest.mark.parametrize("body", ["Hello", "Goodbye"])
def test_a_name_has_one_template(api: Caller, cast: Cast, body: str) -> None:
    first = api.post("templates", {"name": "Delivery", "body": "Hello"}).json()
    problem = problem_of(api.post("templates", {"name": "Delivery", "body": body}), 409, "template_exists")
    assert problem["template_id"] == first["id"]
    second = api.post("templates", {"name": "Other", "body": "Hello"}).json()
    renamed = api.call("PUT", f"templates/{second['id']}", {"name": "Delivery", "body": "Hello"})
    assert problem_of(renamed, 409, "template_exists")["template_id"] == first["id"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"body": "Hello"}, "name", "required"),
        ({"name": "A", "body": ""}, "body", "too_short"),
        ({"name": " ", "body": "Hello"}, "name", "empty"),
        ({"name": "A", "body": "{{ first name }}"}, "body", "bad_text"),
        ({"name": "A", "body": "{% load x %}"}, "body", "bad_text"),
        ({"name": "x" * 81, "body": "Hello"}, "name", "too_long"),
    ],
)
def test_bad_templates_name_their_field(api: Caller, body: dict[str, object], field: str, code: str) -> None:
    assert field_of(api.post("templates", body)) == (field, code)
    assert not Template.objects.exists()


def test_an_archived_template_is_not_reworded(api: Caller, cast: Cast) -> None:
    made = api.post("templates", {"name": "Old", "body": "Hello"}).json()
    archive(Template.objects.get(), actor=cast.owner)
    problem_of(api.call("PUT", f"templates/{made['id']}", {"body": "Hi"}), 409, "template_archived")
    assert api.get("templates").json()["items"] == []
    assert api.get(f"templates/{made['id']}").json()["archived_at"]


def test_templates_of_others_do_not_exist(api: Caller, stranger: Caller) -> None:
    made = api.post("templates", {"name": "Delivery", "body": "Hello"}).json()
    problem_of(stranger.get(f"templates/{made['id']}"), 404, "not_found")
    problem_of(stranger.call("PUT", f"templates/{made['id']}", {"body": "Hi"}), 404, "not_found")
    assert stranger.get("templates").json()["items"] == []


# ---- opt-outs


def test_an_opt_out_and_its_end(api: Caller, cast: Cast) -> None:
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    made = api.post("opt-outs", {"phone": "0151 12345678"})
    assert made.status_code == 201
    told = made.json()
    assert made["Location"] == f"/api/v1/opt-outs/{told['id']}"
    assert (told["phone"], told["source"], told["scope"], told["ended_at"]) == (PHONE, "api", "organization", None)
    assert api.get(f"opt-outs/{told['id']}").json() == told
    again = api.post("opt-outs", {"phone": PHONE})
    assert (again.status_code, again.json()) == (200, told)
    assert find_block(cast.organization, phone=PHONE, purpose="transactional") is not None
    assert [tag.name for tag in contact.tags.all()] == [STOP_TAG]

    assert api.call("DELETE", f"opt-outs/{told['id']}").status_code == 204
    assert api.call("DELETE", f"opt-outs/{told['id']}").status_code == 204
    assert find_block(cast.organization, phone=PHONE, purpose="transactional") is None
    assert not contact.tags.exists()
    ended = api.get(f"opt-outs/{told['id']}").json()
    assert ended["ended_at"] and ended["ended_by"] == "api"
    entries = AuditEntry.objects.filter(action__startswith="opt_out.").order_by("id")
    assert [entry.action for entry in entries] == ["opt_out.started", "opt_out.ended"]
    assert PHONE not in str(list(entries.values()))


@pytest.mark.parametrize("source", ["keyword", "twilio"])
def test_what_the_person_said_stays(api: Caller, cast: Cast, source: str) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source=source)
    problem_of(api.call("DELETE", f"opt-outs/{standing.pk}"), 409, "needs_start")
    assert OptOut.objects.get().ended_at is None
    assert api.post("opt-outs", {"phone": PHONE}).json()["id"] == str(standing.pk)


def test_what_a_member_recorded_can_be_ended(api: Caller, cast: Cast) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source="staff", actor=cast.owner)
    assert api.call("DELETE", f"opt-outs/{standing.pk}").status_code == 204
    assert OptOut.objects.get().ended_by == "api"


def test_opt_outs_of_others_do_not_exist(api: Caller, stranger: Caller) -> None:
    made = api.post("opt-outs", {"phone": PHONE}).json()
    problem_of(stranger.get(f"opt-outs/{made['id']}"), 404, "not_found")
    problem_of(stranger.call("DELETE", f"opt-outs/{made['id']}"), 404, "not_found")
    assert stranger.get("opt-outs").json()["items"] == []
    assert OptOut.objects.get().ended_at is None


def test_opt_out_of_somebody_erased_shows_no_number(api: Caller, cast: Cast) -> None:
    OptOut.objects.create(organization=cast.organization, phone="#2b7f9c1d4e6a8b0", source="keyword")
    assert [one["phone"] for one in api.get("opt-outs").json()["items"]] == [None]


def test_opt_outs_are_found(api: Caller, cast: Cast) -> None:
    first = api.post("opt-outs", {"phone": PHONE}).json()
    api.call("DELETE", f"opt-outs/{first['id']}")
    second = api.post("opt-outs", {"phone": "+4915112345679"}).json()

    def ids(query: str) -> list[str]:
        return [item["id"] for item in api.get(f"opt-outs?{query}").json()["items"]]

    assert ids("") == [second["id"], first["id"]]
    assert ids("active=true") == [second["id"]]
    assert ids("active=false") == [first["id"]]
    assert ids(f"phone={PHONE}") == [first["id"]]
    assert field_of(api.get("opt-outs?active=perhaps")) == ("active", "not_a_boolean")
    problem_of(api.get(f"opt-outs/{uuid.uuid4()}"), 404, "not_found")
