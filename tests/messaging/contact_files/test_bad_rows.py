"""Whatever stands in a cell: said in words at that cell, never a fault, and never in the address book."""

import pytest

from messaging.contact_files.checking import wrong_rows
from messaging.contacts.models import AttributeDefinition, Contact
from tests.conftest import Cast
from tests.messaging.contact_files.conftest import Checked

pytestmark = pytest.mark.django_db

WRONG = {
    ("Phone", "12"): "too short",
    ("Phone", ""): "Write a phone number",
    ("Phone", "4.91512E+12"): "spreadsheet shortened",
    ("Phone", "0151 12345678, 0151 12345679"): "not a phone number",
    ("E-mail", "ada@"): "no e-mail address",
    ("E-mail", "a" * 250 + "@b.de"): "no e-mail address",
    ("Language", "Klingon"): "not known here",
    ("Time zone", "Mars/Olympus"): "no such time zone",
    ("Tags", "x" * 61): "at most 60",
    ("Tags", ";".join(f"t{n}" for n in range(21))): "at most 20 tags",
    ("Notes", "n" * 5001): "At most 5,000",
    ("Name", "n" * 151): "At most 150",
    ("Opted out", "perhaps"): "Write yes or no",
    ("Size", "large"): "Write a number",
    ("Born", "31.12.1999"): "Write a date",
    ("Plan", "Gold"): "Choose one of: Basic, Pro",
    ("Active", "perhaps"): "Write yes or no",
}


@pytest.fixture
def definitions(cast: Cast) -> None:
    for key, kind in (("size", "number"), ("born", "date"), ("plan", "choice"), ("active", "yes_no")):
        AttributeDefinition.objects.create(
            organization=cast.organization, key=key, label=key.title(), kind=kind,
            choices=["Basic", "Pro"] if kind == "choice" else [],
        )  # fmt: skip


@pytest.mark.parametrize(("column", "cell"), WRONG)
def test_wrong_cell_says_what_to_write(
    cast: Cast, definitions: None, imported: Checked, column: str, cell: str
) -> None:
    header, good = ["Phone", column], ["015112345678", cell]
    if column == "Phone":
        header, good = ["Name", "Phone"], ["Ada", cell]
    content = "|".join(header) + "\n" + "|".join(good) + "\n" + "|".join([*"xyz"][: len(header)]) + "\n"
    importing = imported(content)
    [row, *_] = wrong_rows(importing)
    wrong = next(shown for shown in row.cells if shown.problem)
    assert row.number == 2
    assert wrong.heading == column
    assert WRONG[column, cell] in wrong.problem
    assert not Contact.objects.exists()


def test_values_of_the_right_type_are_stored_as_such(cast: Cast, definitions: None, imported: Checked) -> None:
    imported("Phone,Size,Born,Plan,Active\n015112345678,4.50,1999-12-31,pro,YES\n")
    assert Contact.objects.get().attributes == {"size": 4.5, "born": "1999-12-31", "plan": "Pro", "active": True}


def test_signs_that_cannot_be_seen_or_turn_the_text_are_left_out(cast: Cast, imported: Checked) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="city", label="City")
    imported(
        "Name,Phone,City,Notes,Tags\n"
        "\u202eAda\u2066\x07 Lovelace,\u202a+49 151 12345678\u202c,\u200bKöln\u202e,"
        '"two\nlines\x1b\u202e",\u202eVIP\n'
    )
    ada = Contact.objects.get()
    assert (ada.name, ada.phone, ada.attributes, ada.notes) == (
        "Ada Lovelace", "+4915112345678", {"city": "Köln"}, "two\nlines",
    )  # fmt: skip
    assert ada.tags.get().name == "VIP"


def test_nul_and_endless_rows_are_named_by_number(cast: Cast, imported: Checked) -> None:
    content = b"Name,Phone\nA\x00da,015112345678\n" + b"x" * 10_000_000 + b",015112345679\nCid,015112345670\n"
    importing = imported(content)
    assert [row["number"] for row in importing.first_wrong] == [2, 3]
    assert "NUL" in importing.first_wrong[0]["problem"]
    assert "longer than" in importing.first_wrong[1]["problem"]
    assert Contact.objects.get().name == "Cid"


def test_formulas_of_an_export_come_back_as_they_were(cast: Cast, imported: Checked) -> None:
    imported("Name,Phone,Notes\n'=SUM(A1),'+4915112345678,'-5\n")
    contact = Contact.objects.get()
    assert (contact.name, contact.phone, contact.notes) == ("=SUM(A1)", "+4915112345678", "-5")


def test_of_many_wrong_rows_the_first_twenty_are_kept_for_the_page(cast: Cast, checked: Checked) -> None:
    importing = checked("Name,Phone\nAda,015112345678\n" + "Bob,1\n" * 700)
    assert importing.counts["bad"] == 700
    assert [row["number"] for row in importing.first_wrong] == list(range(3, 23))
