"""Finding contacts: by number in any writing or its end, by the beginning of any word of the name, by any sign."""

from typing import Any

import pytest
from django.db import connection as database

from integrations.organizations.models import Organization
from messaging.contacts import search
from messaging.contacts.filters import ContactFilter, filtered
from messaging.contacts.models import Contact
from messaging.contacts.selectors import contact_page, find_contacts
from tests.conftest import Cast
from tests.factories import ContactFactory


def found(organization: Organization, query: str, **wanted: Any) -> list[str]:
    """Return the names that a search shows; going through all that fit must find the same people."""
    chosen = ContactFilter(query=query, **wanted)
    page = [contact.name for contact in contact_page(organization, chosen).contacts]
    assert sorted(filtered(organization, chosen).values_list("name", flat=True)) == sorted(page)
    return page


@pytest.fixture
def people(cast: Cast) -> dict[str, Contact]:
    names = [
        "Anna Schmidt", "Ánnika Müller-Weiß", "Sean O’Brien", "王小明", "山田 太郎", "김민준", "Łukasz Żak",
        "Иван Йорков", "Ｗａｎｇ Ｌｅｉ", "Customer 0042",
    ]  # fmt: skip
    made = {name: ContactFactory(organization=cast.organization, name=name) for name in names}
    ContactFactory(organization=cast.other, name="Anna 王小明 Elsewhere")
    return made


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("ann", ["Ánnika Müller-Weiß", "Anna Schmidt"]),
        ("ANNA s", ["Anna Schmidt"]),
        ("schm", ["Anna Schmidt"]),
        ("chmidt", []),
        ("muller", ["Ánnika Müller-Weiß"]),
        ("WEISS", ["Ánnika Müller-Weiß"]),
        ("brien", ["Sean O’Brien"]),
        ("o'brien", ["Sean O’Brien"]),
        ("lukasz zak", ["Łukasz Żak"]),
        ("ИВАН", ["Иван Йорков"]),
        ("йор", ["Иван Йорков"]),
        ("wang", ["Ｗａｎｇ Ｌｅｉ"]),
        ("小", ["王小明"]),
        ("小明", ["王小明"]),
        ("明王", ["王小明"]),
        ("太郎", ["山田 太郎"]),
        ("민준", ["김민준"]),
        ("0042", ["Customer 0042"]),
        ("cust 00", ["Customer 0042"]),
        ("%", []),
        ("\\", []),
        ("🙂", []),
        ("x" * 300, []),
    ],
)
def test_names_are_found_by_the_beginning_of_any_word(
    cast: Cast, people: dict[str, Contact], query: str, names: list[str]
) -> None:
    assert found(cast.organization, query) == names


def test_a_word_that_is_longer_than_what_is_kept_is_found_by_its_beginning(cast: Cast) -> None:
    ContactFactory(organization=cast.organization, name="Donaudampfschifffahrtsgesellschaft")
    assert found(cast.organization, "donaudampfschifffahrtsgesell") == ["Donaudampfschifffahrtsgesellschaft"]


@pytest.mark.parametrize("query", ["0151 9999 8765", "+49 (151) 99998765", "0049-151-99998765", "8765", "998765"])
def test_numbers_are_found_in_any_writing_and_by_their_end(cast: Cast, query: str) -> None:
    ContactFactory(organization=cast.organization, name="Anna", phone="+4915199998765")
    ContactFactory(organization=cast.organization, name="Ben", phone="+4915199991234")
    ContactFactory(organization=cast.other, name="Elsewhere", phone="+4915199998765")
    assert found(cast.organization, query) == ["Anna"]


def test_digits_find_numbers_and_names_alike_newest_first(cast: Cast) -> None:
    ContactFactory(organization=cast.organization, name="Ending", phone="+4915199990042")
    ContactFactory(organization=cast.organization, name="Customer 0042", phone="+4915199991111")
    ContactFactory(organization=cast.organization, name="Ending too", phone="+4915288880042")
    assert found(cast.organization, "0042") == ["Ending too", "Customer 0042", "Ending"]


def test_addresses_are_found_by_their_beginning_in_any_case(cast: Cast) -> None:
    ContactFactory(organization=cast.organization, name="Anna", email="Anna.Schmidt@Example.com")
    assert found(cast.organization, "anna.schmidt@EXAMPLE") == ["Anna"]
    assert found(cast.organization, "schmidt@example.com") == []
    assert found(cast.organization, "@") == []


def test_however_a_row_is_written_it_is_found_by_its_present_name(cast: Cast) -> None:
    made = Contact.objects.bulk_create(
        [Contact(organization=cast.organization, name=f"Bulk {n}", phone=f"+4915177770{n:03}") for n in range(3)]
    )
    assert len(found(cast.organization, "bulk")) == 3
    Contact.objects.filter(pk=made[0].pk).update(name="Renamed")
    assert found(cast.organization, "rena") == ["Renamed"]
    assert len(found(cast.organization, "bulk")) == 2
    Contact.objects.bulk_create(
        [Contact(organization=cast.organization, name="Upserted", phone="+4915177770001")],
        update_conflicts=True,
        unique_fields=["organization", "phone"],
        update_fields=["name"],
    )
    assert found(cast.organization, "upser") == ["Upserted"]


def test_pages_of_a_search_go_through_all_blocks_and_show_each_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in (3, 2, 1):  # made out of order: what counts is the block
        for place in range(7):
            ContactFactory(
                organization=cast.organization,
                name=f"Anna {block}-{place}",
                ordinal=search.BLOCK * (100 + block) + place,
            )
    seen: list[str] = []
    after = None
    while True:
        page = contact_page(cast.organization, ContactFilter(query="anna"), after=after, size=5)
        seen += [contact.name for contact in page.contacts]
        after = page.next
        if after is None:
            break
    assert seen == [f"Anna {block}-{place}" for block in (3, 2, 1) for place in range(6, -1, -1)]
    assert find_contacts(cast.organization, query="anna").count() == 21


def test_paging_goes_on_after_the_last_one_shown_was_deleted(cast: Cast) -> None:
    made = [ContactFactory(organization=cast.organization, name=f"Anna {n}") for n in range(6)]
    first = contact_page(cast.organization, ContactFilter(query="anna"), size=3)
    Contact.objects.filter(pk=first.next).delete()
    rest = contact_page(cast.organization, ContactFilter(query="anna"), after=first.next, size=3)
    assert [contact.pk for contact in rest.contacts] == [contact.pk for contact in reversed(made[:3])]


def test_an_organization_without_contacts_finds_nobody(cast: Cast) -> None:
    assert found(cast.organization, "anna") == []


def test_python_need_not_know_how_the_database_folds(db: None) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT heliograph_contact_words(%s)", ["ß Æsir ﬁn ガギ 𠮷野 A\u0301"])
        assert set(cursor.fetchone()[0]) == {"ss", "aesir", "fin", "ガ", "ギ", "𠮷", "野", "a"}
