"""Definitions: what can be put before people, and what somebody tampered with cannot."""

from typing import Any

import pytest

from portal.forms.definition import (
    MOST_FIELDS,
    DefinitionProblem,
    Kind,
    new_field,
    parse,
    problems_of,
    read,
)
from tests.portal.forms.samples import QUESTIONS


def one(**parts: Any) -> list[dict[str, Any]]:
    return [{"key": "f1", "kind": "short_text", "label": "Name", **parts}]


def test_definition_is_read_and_written_alike() -> None:
    definition = parse(QUESTIONS)
    assert read(definition.as_json()) == definition
    assert [field.kind for field in definition.fields] == [field["kind"] for field in QUESTIONS]
    assert definition.number_field is definition.verified_field is definition.find("f2")


def test_every_kind_begins_as_something_that_can_be_read() -> None:
    for number, kind in enumerate(Kind):
        field = new_field(kind, key=f"f{number + 1}")
        assert read([field.as_json()]).fields == (field,)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        "text",
        [1],
        [[]],
        [{}],
        [{"key": "f1"}],
        one(kind="script"),
        one(kind=["short_text"]),
        one(kind={"a": 1}),
        one(key="__proto__"),
        one(key="f1; DROP"),
        one(key=1),
        one(label=5),
        one(label="x" * 201),
        one(required="yes"),
        one(onload="alert(1)"),
        one(verify=True),
        one(max=0),
        one(max=10_000),
        one(max=1.5),
        one(max=True),
        one(saves_as="phone"),
        one(saves_as="attr.__class__"),
        one(saves_as="email"),
        one(kind="number", max=float("nan")),
        one(kind="number", max=float("inf")),
        one(kind="number", min="1"),
        one(kind="choice", options="abc"),
        one(kind="choice", options=[1, 2]),
        one(kind="choice", options=[str(number) for number in range(101)]),
        one(kind="file", accept=["exe"]),
        one(kind="file", accept=[]),
        one(kind="file", accept=[["pdf"]]),
        one(kind="file", accept=["pdf"], max=11),
        one(kind="consent", purpose="everything"),
        one(kind="consent"),
        one() + one(),
    ],
)
def test_tampered_definition_is_refused_with_a_sentence(raw: Any) -> None:
    with pytest.raises(DefinitionProblem) as refused:
        read(raw)
    assert all(text.endswith((".", "!")) for parts in refused.value.problems.values() for text in parts.values())


def test_too_many_questions_are_refused() -> None:
    many = [{"key": f"f{number + 1}", "kind": "short_text", "label": "x"} for number in range(MOST_FIELDS + 1)]
    assert len(read(many[:-1]).fields) == MOST_FIELDS
    with pytest.raises(DefinitionProblem):
        read(many)


def test_signs_that_cannot_be_seen_are_taken_out_of_words() -> None:
    [field] = read(one(label="Na\u202eme\x00\u200b", help="One\r\n\u2066two\x07")).fields
    assert (field.label, field.help) == ("Name", "One\ntwo")


def test_number_that_is_proved_is_required() -> None:
    [field] = read([{"key": "f1", "kind": "phone", "label": "Phone", "verify": True}]).fields
    assert field.required


def what_is_wrong(*fields: dict[str, Any]) -> dict[str, set[str]]:
    return {key: set(parts) for key, parts in problems_of(read(list(fields))).items()}


def test_what_is_missing_keeps_the_form_from_being_published() -> None:
    phone = {"key": "f1", "kind": "phone", "label": "Phone", "required": True}
    proved = {**phone, "verify": True}
    consent = {"key": "f2", "kind": "consent", "label": "News", "wording": "Yes.", "purpose": "transactional"}
    marketing = {**consent, "purpose": "marketing"}
    assert what_is_wrong() == {"": {"fields"}}
    assert what_is_wrong({"key": "f1", "kind": "short_text", "label": " "}) == {"f1": {"label"}}
    assert what_is_wrong({"key": "f1", "kind": "choice", "label": "x", "options": ["a", "a"]}) == {"f1": {"options"}}
    assert what_is_wrong({"key": "f1", "kind": "number", "label": "x", "min": 5, "max": 1}) == {"f1": {"max"}}
    assert what_is_wrong(proved, {**proved, "key": "f2"}) == {"f2": {"verify"}}
    assert what_is_wrong(consent) == {"f2": {"purpose"}}
    assert what_is_wrong({**phone, "required": False}, consent) == {"f2": {"purpose"}}
    assert what_is_wrong(phone, consent) == {}
    assert what_is_wrong(phone, {**consent, "wording": ""}) == {"f2": {"wording"}}
    assert what_is_wrong(phone, marketing) == {"f2": {"purpose"}}, "nobody agrees to marketing for somebody else"
    assert what_is_wrong(proved, marketing) == {}
    email = {"key": "f3", "kind": "email", "label": "E-mail", "saves_as": "email"}
    assert what_is_wrong(email, {**email, "key": "f4"}) == {"f4": {"saves_as"}}
    files = [{"key": f"f{number}", "kind": "file", "label": "x", "accept": ["pdf"]} for number in range(1, 7)]
    assert what_is_wrong(*files) == {"": {"fields"}}
