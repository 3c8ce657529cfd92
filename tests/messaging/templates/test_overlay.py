"""Values for dotted names, typed into a form or given by a caller."""

from messaging.templates.variables import nest, overlay


def test_dotted_names_become_records_and_empty_values_vanish() -> None:
    assert nest({"order.id": "7", "order.day": "", "name": "Ada"}) == {"order": {"id": "7"}, "name": "Ada"}


def test_name_that_is_both_value_and_record_does_not_crash() -> None:
    assert nest({"order": "7", "order.id": "8"}) == {"order": "7"}


def test_given_values_lie_on_top_record_by_record() -> None:
    known = {"contact": {"name": "Ada", "email": "a@b.example"}, "name": "Ada"}
    assert overlay(known, {"contact": {"name": "Eve"}, "x": 1}) == {
        "contact": {"name": "Eve", "email": "a@b.example"},
        "name": "Ada",
        "x": 1,
    }
