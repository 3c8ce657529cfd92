"""Choosing contacts: each condition, all of them together, as JSON and back, and values of the wrong type."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.attributes import AttributeProblem, changed, is_key, read_value, read_values, shown
from messaging.contacts.filters import Comparison, ContactFilter, check, count_up_to, filtered
from messaging.contacts.models import AttributeDefinition, Contact, Tag
from messaging.contacts.selectors import contact_page
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory


def chosen(organization: Organization, **wanted: Any) -> set[str]:
    """Return the names that fit; the filter is read back from its JSON first, and a page must show the same."""
    one = ContactFilter(**wanted)
    assert ContactFilter.from_json(one.as_json()) == one
    rows = list(filtered(organization, one).values_list("name", flat=True))
    assert len(rows) == len(set(rows))
    assert {contact.name for contact in contact_page(organization, one).contacts} == set(rows)
    return set(rows)


@pytest.fixture
def four(cast: Cast) -> dict[str, Contact]:
    ContactFactory(organization=cast.other, name="Elsewhere")
    return {
        name: ContactFactory(organization=cast.organization, name=name, region=region, language=language)
        for name, region, language in (
            ("Anna", "DE", "de"),
            ("Ben", "FR", "fr"),
            ("Carla", "DE", "en"),
            ("Dan", "", ""),
        )
    }


def test_nothing_asked_is_everybody_of_the_organization(cast: Cast, four: dict[str, Contact]) -> None:
    assert chosen(cast.organization) == {"Anna", "Ben", "Carla", "Dan"}
    assert ContactFilter().is_empty
    assert ContactFilter().as_json() == {}


def test_tags_any_all_and_none(cast: Cast, four: dict[str, Contact]) -> None:
    red, blue = (Tag.objects.create(organization=cast.organization, name=name) for name in ("red", "blue"))
    four["Anna"].tags.add(red, blue)
    four["Ben"].tags.add(red)
    assert chosen(cast.organization, tags_any=(red.pk,)) == {"Anna", "Ben"}
    assert chosen(cast.organization, tags_any=(red.pk, blue.pk)) == {"Anna", "Ben"}
    assert chosen(cast.organization, tags_all=(red.pk, blue.pk)) == {"Anna"}
    assert chosen(cast.organization, tags_none=(red.pk,)) == {"Carla", "Dan"}
    assert chosen(cast.organization, tags_any=(red.pk,), tags_none=(blue.pk,)) == {"Ben"}
    assert chosen(cast.organization, tags_all=(uuid.uuid4(),)) == set()


def test_country_language_and_import(cast: Cast, four: dict[str, Contact]) -> None:
    job = uuid.uuid4()
    Contact.objects.filter(pk=four["Dan"].pk).update(imported_in=job)
    assert chosen(cast.organization, countries=("DE", "FR")) == {"Anna", "Ben", "Carla"}
    assert chosen(cast.organization, countries=("DE",), languages=("en",)) == {"Carla"}
    assert chosen(cast.organization, imported_in=job) == {"Dan"}


def test_opted_out_means_of_everything_and_until_it_ended(cast: Cast, four: dict[str, Contact]) -> None:
    opt_out(cast.organization, phone=four["Anna"].phone, source=OptOut.Source.STAFF)
    opt_out(cast.organization, phone=four["Ben"].phone, source=OptOut.Source.TWILIO, scope="sender", sender="+1500")
    ended = opt_out(cast.organization, phone=four["Carla"].phone, source=OptOut.Source.STAFF)
    OptOut.objects.filter(pk=ended.pk).update(ended_at=datetime.now(UTC))
    assert chosen(cast.organization, opted_out="yes") == {"Anna"}
    assert chosen(cast.organization, opted_out="no") == {"Ben", "Carla", "Dan"}


def test_consent_to_marketing_as_it_stands_now(cast: Cast, four: dict[str, Contact]) -> None:
    for name, action in (("Anna", "granted"), ("Ben", "granted"), ("Ben", "withdrawn"), ("Carla", "requested")):
        entry = Entry(phone=four[name].phone, action=action, source="staff")
        record_consent(cast.organization, entry, actor=cast.agent)
    record_consent(cast.other, Entry(phone=four["Dan"].phone, action="granted", source="staff"), actor=cast.stranger)
    assert chosen(cast.organization, consent="marketing") == {"Anna"}
    assert chosen(cast.organization, consent="no_marketing") == {"Ben", "Carla", "Dan"}
    assert chosen(cast.organization, consent="withdrawn") == {"Ben"}
    assert chosen(cast.organization, consent="nonsense") == {"Anna", "Ben", "Carla", "Dan"}


def test_days_are_those_of_the_organization(cast: Cast, four: dict[str, Contact]) -> None:
    cast.organization.time_zone = "Pacific/Auckland"  # the first of May begins there on the 30th of April, UTC
    Contact.objects.update(created_at=datetime(2026, 4, 1, tzinfo=UTC))
    Contact.objects.filter(pk=four["Anna"].pk).update(created_at=datetime(2026, 4, 30, 13, tzinfo=UTC))
    assert chosen(cast.organization, created_since=date(2026, 5, 1), created_until=date(2026, 5, 1)) == {"Anna"}
    assert chosen(cast.organization, created_until=date(2026, 4, 30)) == {"Ben", "Carla", "Dan"}


def test_last_message_before_and_after(cast: Cast, four: dict[str, Contact], connection: Connection) -> None:
    for name, day in (("Anna", 1), ("Anna", 20), ("Ben", 5)):
        at = datetime(2026, 5, day, 12, tzinfo=UTC)
        MessageFactory(organization=cast.organization, connection=connection, contact=four[name], created_at=at)
    assert chosen(cast.organization, written_since=date(2026, 5, 10)) == {"Anna"}
    assert chosen(cast.organization, written_until=date(2026, 5, 10)) == {"Ben"}
    assert chosen(cast.organization, written_since=date(2026, 5, 1), written_until=date(2026, 5, 31)) == {"Anna", "Ben"}


@pytest.fixture
def attributes(cast: Cast, four: dict[str, Contact]) -> None:
    kinds = {"plan": "choice", "points": "number", "born": "date", "vip": "yes_no", "city": "text", "gt": "text"}
    for key, kind in kinds.items():
        AttributeDefinition.objects.create(
            organization=cast.organization, key=key, label=key.title(), kind=kind,
            choices=["Gold", "Silver"] if kind == "choice" else [],
        )  # fmt: skip
    values: dict[str, dict[str, Any]] = {
        "Anna": {"plan": "Gold", "points": 100, "born": "1990-05-01", "vip": True, "city": "Berlin", "gt": "x"},
        "Ben": {"plan": "Silver", "points": 9.5, "born": "2001-01-31", "vip": False, "city": "bern"},
        "Carla": {"points": -3},
    }
    for name, stored in values.items():
        Contact.objects.filter(pk=four[name].pk).update(attributes=stored)


@pytest.mark.parametrize(
    ("key", "op", "value", "names"),
    [
        ("plan", "is", "gold", {"Anna"}),
        ("plan", "is_not", "Gold", {"Ben", "Carla", "Dan"}),
        ("points", "below", "10", {"Ben", "Carla"}),
        ("points", "above", 9.5, {"Anna"}),
        ("points", "is", "100.0", {"Anna"}),
        ("born", "below", "2000-01-01", {"Anna"}),
        ("born", "above", "1990-05-01", {"Ben"}),
        ("vip", "is", "no", {"Ben"}),
        ("city", "begins", "BER", {"Anna", "Ben"}),
        ("city", "begins", "%", set()),
        ("gt", "is", "x", {"Anna"}),
        ("gt", "begins", "X", {"Anna"}),
        ("plan", "set", None, {"Anna", "Ben"}),
        ("plan", "unset", None, {"Carla", "Dan"}),
        # What makes no sense fits nobody, and is told by `check`.
        ("points", "is", "many", set()),
        ("city", "below", "x", set()),
        ("nothing", "is", "x", set()),
        ("born", "above", "tomorrow", set()),
    ],
)
def test_attributes_are_compared_by_their_type(
    cast: Cast, attributes: None, key: str, op: str, value: Any, names: set[str]
) -> None:
    comparison = Comparison(key=key, op=op, value=value)
    assert chosen(cast.organization, attributes=(comparison,)) == names
    is_nonsense = (key, value) in {("points", "many"), ("city", "x"), ("nothing", "x"), ("born", "tomorrow")}
    assert bool(check(cast.organization, ContactFilter(attributes=(comparison,)))) == is_nonsense


@pytest.mark.parametrize(
    "stored",
    [None, [], "x", {"query": 5, "tags_any": "x", "created_since": "soon", "attributes": [1, {"key": "\x00"}],
      "new": 1},
     {"tags_all": ["x", None, {}], "imported_in": [], "attributes": {"a": 1}, "countries": "DE"}],
)  # fmt: skip
def test_a_stored_filter_that_cannot_be_read_asks_for_less_and_breaks_nothing(cast: Cast, stored: Any) -> None:
    assert ContactFilter.from_json(stored).is_empty


def test_counting_stops_at_the_limit(cast: Cast, four: dict[str, Contact]) -> None:
    rows = filtered(cast.organization, ContactFilter())
    assert count_up_to(rows) == (4, False)
    assert count_up_to(rows, most=3) == (3, True)


def definition(kind: str, **more: Any) -> AttributeDefinition:
    return AttributeDefinition(key="it", label="It", kind=kind, **more)


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ("text", " Berlin ", "Berlin"), ("text", 12, "12"), ("text", "a\x00b", "ab"), ("text", "", None),
        ("number", "12", 12), ("number", "12.50", 12.5), ("number", "1 000", 1000), ("number", 3.0, 3),
        ("number", "-0.1", -0.1),
        ("date", "2026-05-01", "2026-05-01"), ("date", datetime(2026, 5, 1, 9, tzinfo=UTC), "2026-05-01"),
        ("moment", "2026-05-01 14:30", "2026-05-01T14:30"),
        ("moment", "2026-05-01T14:30:59Z", "2026-05-01T14:30+00:00"),
        ("moment", datetime(2026, 5, 1, 9, tzinfo=UTC), "2026-05-01T09:00+00:00"),
        ("moment", "2026-05-01t14:30 +0200", "2026-05-01T14:30+02:00"),
        ("yes_no", "Yes", True), ("yes_no", False, False), ("yes_no", "0", False),
        ("choice", "gold", "Gold"), ("choice", None, None),
    ],
)  # fmt: skip
def test_values_are_read_from_any_writing(kind: str, raw: Any, stored: Any) -> None:
    assert read_value(definition(kind, choices=["Gold", "Silver"]), raw) == stored


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("text", "x" * 501, "too_long"), ("text", ["x"], "not_a_text"), ("text", True, "not_a_text"),
        ("number", "twelve", "not_a_number"), ("number", "NaN", "not_a_number"), ("number", "1e400", "too_large"),
        ("number", True, "not_a_number"), ("number", {"a": 1}, "not_a_number"), ("number", "Infinity", "not_a_number"),
        ("number", "1234567890123456", "too_large"), ("number", "0.12345678901234567", "too_large"),
        ("date", "01/02/2026", "not_a_date"), ("date", 20260501.5, "not_a_date"), ("date", "2026-02-30", "not_a_date"),
        ("moment", "2026-05-01", "not_a_moment"), ("moment", "2026-02-30T10:00", "not_a_moment"),
        ("moment", "2026-05-01T25:00", "not_a_moment"), ("moment", True, "not_a_moment"),
        ("yes_no", "perhaps", "not_yes_or_no"), ("yes_no", 2, "not_yes_or_no"), ("choice", "Bronze", "not_a_choice"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_a_problem_in_words(kind: str, raw: Any, code: str) -> None:
    with pytest.raises(AttributeProblem) as problem:
        read_value(definition(kind, choices=["Gold", "Silver"]), raw)
    assert problem.value.code == code
    assert problem.value.message.endswith(".")


def test_many_values_are_read_with_all_that_is_wrong() -> None:
    values, problems = read_values([definition("number")], {"it": "1", "other": 5})
    assert (values, [problem.code for problem in problems]) == ({"it": 1}, ["unknown"])
    assert changed({"a": 1, "b": 2}, {"b": None, "c": 3}) == {"a": 1, "c": 3}


def test_values_are_shown_as_people_write_them() -> None:
    assert [shown(definition("text"), value) for value in ("x", 12, 12.5, 1e-7, True, None)] == [
        "x", "12", "12.5", "0.0000001", "yes", ""]  # fmt: skip


def test_keys_are_plain_and_not_taken() -> None:
    assert is_key("plan_2")
    assert not any(is_key(key) for key in ("Plan", "2x", "name", "a-b", "", "x" * 41, "plan\n"))
