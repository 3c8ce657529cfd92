"""What the editor shows live: the text as it arrives, what it takes, and what would make it cheaper."""

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact
from messaging.templates.look import Look, look_at
from messaging.templates.variables import contact_values

ACME = Organization(name="Acme Logistics", slug="acme", default_region="DE")
ANNA = Contact(name="Anna Schmidt", phone="+4930123456")


def sources(look: Look) -> dict[str, tuple[str, str]]:
    return {variable.name: (variable.shown, variable.source) for variable in look.variables}


def test_a_contact_gives_what_is_known_and_no_more() -> None:
    values = contact_values(ANNA, ACME)
    known = {"name": "Anna Schmidt", "first_name": "Anna", "phone": "+49 30 123456"}
    assert str(values.pop("unsubscribe_link")).startswith("http")
    assert values == {"organization": "Acme Logistics", **known, "contact": known}
    assert contact_values(None, ACME) == {"organization": "Acme Logistics"}


def test_without_a_contact_samples_stand_in() -> None:
    look = look_at(ACME, body="Hi {{ first_name }}, {{ order_number }} by {{ organization }}")
    assert look.text == "Hi Anna, order number by Acme Logistics"
    assert look.is_sample
    assert sources(look)["order_number"] == ("order number", "sample")
    assert sources(look)["organization"] == ("Acme Logistics", "yours")


def test_with_a_contact_its_values_stand_in_and_missing_ones_are_told() -> None:
    look = look_at(
        ACME, body='{{ first_name }} {{ contact.name }} {{ email }} {{ code }} {{ nick | "you" }}', contact=ANNA
    )
    assert look.text == "Anna Anna Schmidt {{ email }} {{ code }} you"
    assert look.missing == ("email", "code")
    assert sources(look) == {
        "first_name": ("Anna", "contact"),
        "contact.name": ("Anna Schmidt", "contact"),
        "email": ("", "no value"),
        "code": ("", "no value"),
        "nick": ("you", "fallback"),
    }


def test_what_is_entered_by_hand_comes_first() -> None:
    look = look_at(ACME, body="{{ first_name }} {{ code }}", contact=ANNA, values={"code": "42", "first_name": " "})
    assert look.text == "Anna 42"
    assert sources(look)["code"] == ("42", "entered")


def test_characters_that_force_ucs_2_are_marked_and_a_plain_wording_is_offered() -> None:
    look = look_at(ACME, body="It’s “ready”… {{ name }}")
    assert look.measured is not None
    assert look.measured.encoding == "UCS-2"
    assert [piece.text for piece in look.pieces if piece.kind == "forcing"] == ["’", "“", "”", "…"]
    assert "".join(piece.text for piece in look.pieces) == look.text
    assert look.plain == 'It\'s "ready"... {{ name }}'
    assert look.plain_measured is not None
    assert look.plain_measured.encoding == "GSM-7"


def test_a_family_is_marked_whole() -> None:
    look = look_at(ACME, body="👨 and 👨‍👩‍👧")
    assert [piece.text for piece in look.pieces if piece.kind == "forcing"] == ["👨", "👨‍👩‍👧"]


def test_a_value_that_forces_ucs_2_is_told_from_the_wording() -> None:
    look = look_at(ACME, body="Hi {{ name }}", contact=Contact(name="Łukasz", phone="+48512345678"))
    assert look.forced_by_value
    assert not look.plain


def test_no_offer_where_the_text_stays_ucs_2_anyway() -> None:
    assert not look_at(ACME, body="It’s 🎂").plain


def test_a_broken_wording_says_what_is_wrong() -> None:
    for body in ("{{ name", "{% if x %}", "}} {{", "{{ a b }}"):
        look = look_at(ACME, body=body)
        assert look.problem
        assert not look.pieces


def test_a_long_text_is_told_by_how_much() -> None:
    look = look_at(ACME, body="x" * 1700)
    assert "1,700" in look.problem
    assert "by 100" in look.problem


def test_values_are_never_read_as_template() -> None:
    look = look_at(ACME, body="{{ name }}", contact=Contact(name="{{ organization }}", phone="+4930123456"))
    assert look.text == "{{ organization }}"
    assert not look.missing
