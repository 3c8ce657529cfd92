"""Templates say what they are told, and nothing else."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.templates.rendering import (
    Chunk,
    ChunkKind,
    EmptyText,
    MissingVariables,
    TemplateProblem,
    TemplateSyntaxProblem,
    TextTooLong,
    Variable,
    clean_text,
    parse,
    preview,
    render,
)


def _say(source: str, **values: Any) -> str:
    return render(parse(source), values)


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("Hello {{ name }}!", {"name": "Ana"}, "Hello Ana!"),
        ("Hello {{name}}, {{  name  }}", {"name": "Ana"}, "Hello Ana, Ana"),
        ("{{ contact.first_name }}", {"contact": {"first_name": "Ana"}}, "Ana"),
        ("{{ contact.first_name }}", {"contact.first_name": "Ana"}, "Ana"),
        ("{{ total }} for {{ count }} on {{ day }}", {"total": Decimal("9.50"), "count": 0, "day": date(2026, 3, 1)},
         "9.50 for 0 on 2026-03-01"),
        ('Dear {{ name | "customer" }}', {}, "Dear customer"),
        ('Dear {{ name|"customer" }}', {"name": "Ana"}, "Dear Ana"),
        ("Dear {{ name | “customer” }}", {"name": " "}, "Dear customer"),
        ('Hi{{ suffix | "" }}!', {}, "Hi!"),
        ('{{ name | "}} {{ x" }}', {}, "}} {{ x"),
        ("{ 50 % off } }{ {name}", {}, "{ 50 % off } }{ {name}"),
        ("a\r\nb\rc", {}, "a\nb\nc"),
        ("{{ note }}", {"note": "one\r\ntwo\x00\x07\ttab\ud800"}, "one\ntwo tab"),
    ],
)  # fmt: skip
def test_variables_are_replaced_by_their_values(source: str, values: dict[str, Any], text: str) -> None:
    assert render(parse(source), values) == text


@pytest.mark.parametrize("value", ["{{ secret }}", "{% now %}", "{{ name }}", "}}{{", '{{ a | "b" }}', "%(x)s {0} $y"])
def test_braces_in_a_value_survive_and_are_not_read(value: str) -> None:
    assert _say("<{{ name }}>", name=value, secret="leaked", a="leaked") == f"<{value}>"


def test_all_missing_variables_are_named_at_once_and_in_order() -> None:
    parsed = parse('{{ b }} {{ a }} {{ b }} {{ c | "x" }} {{ d.e }} {{ here }} {{ blank }} {{ none }}')
    with pytest.raises(MissingVariables) as caught:
        render(parsed, {"here": "yes", "blank": " \t\u200b", "none": None})
    assert caught.value.names == ("b", "a", "d.e", "blank", "none")
    assert "b, a, d.e, blank, none" in str(caught.value)


@pytest.mark.parametrize("value", [{"x": "y"}, ["a"], ("a",), {"a"}, b"bytes", print, str])
def test_only_a_single_value_is_a_value(value: object) -> None:
    with pytest.raises(MissingVariables):
        _say("{{ name }}", name=value)


class _Record:
    password = "leaked"

    def __getitem__(self, key: str) -> str:
        return "leaked"


@pytest.mark.parametrize("name", ["record.password", "record.__class__", "text.upper", "record.a", "mapping.keys"])
def test_names_reach_mappings_only_never_attributes(name: str) -> None:
    with pytest.raises(MissingVariables):
        render(parse(f"{{{{ {name} }}}}"), {"record": _Record(), "text": "x", "mapping": {"a": "b"}})


@pytest.mark.parametrize(
    ("source", "position", "line", "words"),
    [
        ("Hello {{ name", 6, 1, "not closed"),
        ("Hello {{ name } {{ other }}", 6, 1, "not closed"),
        ("Hello\n{{ }}", 6, 2, "no name"),
        ('{{ | "x" }}', 0, 1, "no name"),
        ("{{ first name }}", 0, 1, "“first name” is not a variable's name"),
        ("{{ 1st }}", 0, 1, "not a variable's name"),
        ("{{ naïve }}", 0, 1, "not a variable's name"),
        ("{{ a..b }}", 0, 1, "not a variable's name"),
        ("{{ name() }}", 0, 1, "not a variable's name"),
        ("{{{ name }}}", 0, 1, "not a variable's name"),
        ("{{ name | upper }}", 0, 1, '{{ name | "upper" }}'),
        ("{{ name | }}", 0, 1, '{{ name | "there" }}'),
        ("a {% if x %}b{% endif %}", 2, 1, "Only {{ variables }} are understood"),
        ("{{ ok }} then }}", 14, 1, "without {{ before it"),
    ],
)
def test_a_mistake_is_explained_where_it_is(source: str, position: int, line: int, words: str) -> None:
    with pytest.raises(TemplateSyntaxProblem) as caught:
        parse(source)
    assert (caught.value.position, caught.value.line) == (position, line)
    assert words in str(caught.value)


def test_an_endless_source_is_refused_quickly() -> None:
    with pytest.raises(TemplateSyntaxProblem, match="Shorten it"):
        parse("{{ " + " " * 20_000)


def test_variables_are_listed_once_with_whether_they_may_be_missing() -> None:
    parsed = parse('{{ b }}{{ a | "x" }}{{ c | "" }}{{ b }}{{ a }}')
    assert parsed.variables == (Variable("b"), Variable("a"), Variable("c", ""))
    assert [variable.has_fallback for variable in parsed.variables] == [False, False, True]


def test_a_text_beyond_1600_characters_is_refused_with_its_length() -> None:
    assert len(_say("{{ x }}", x="a" * 1600)) == 1600
    with pytest.raises(TextTooLong, match="1,601 characters") as caught:
        _say("{{ x }}", x="a" * 1601)
    assert (caught.value.characters, caught.value.limit) == (1601, 1600)


@pytest.mark.parametrize("source", ["", " \n", '{{ x | "" }}', "\u200b\ufeff"])
def test_an_empty_text_is_refused(source: str) -> None:
    with pytest.raises(EmptyText):
        _say(source)


def test_a_preview_tells_what_is_missing_and_what_was_filled_in() -> None:
    parsed = parse('Hi {{ name }}, {{ gift | "a gift" }} from {{ shop.name }}')
    assert preview(parsed, {"name": "Ana"}) == [
        Chunk("Hi ", ChunkKind.TEXT),
        Chunk("Ana", ChunkKind.VALUE),
        Chunk(", ", ChunkKind.TEXT),
        Chunk("a gift", ChunkKind.FALLBACK),
        Chunk(" from ", ChunkKind.TEXT),
        Chunk("{{ shop.name }}", ChunkKind.MISSING),
    ]


def test_a_source_is_parsed_once() -> None:
    assert parse("once {{ a }}") is parse("once {{ a }}")


sources = st.lists(
    st.one_of(st.sampled_from(["{{", "}}", "{%", "%}", " name ", '| "x"', "|", '"', "{", "}", "a.b", "\n"]), st.text()),
    max_size=12,
).map("".join)


@given(sources)
def test_any_source_is_parsed_or_refused_in_words(source: str) -> None:
    try:
        parsed = parse(source)
    except TemplateSyntaxProblem as caught:
        problem = caught
    else:
        assert "{%" not in "".join(part for part in parsed.parts if isinstance(part, str))
        return
    assert 0 <= problem.position < len(source)
    assert str(problem).endswith(".")


@given(sources, st.dictionaries(st.sampled_from(["name", "a", "b"]), st.one_of(st.none(), st.text(), st.integers())))
def test_rendering_yields_a_text_that_can_be_stored_and_sent_or_a_problem(source: str, values: dict[str, Any]) -> None:
    try:
        text = render(parse(source), values)
    except TemplateProblem:
        return
    assert 0 < len(text) <= 1600
    assert "\x00" not in text
    assert text.encode()


@given(st.text().filter(lambda text: "{" not in text and "}" not in text))
def test_a_text_without_braces_comes_back_as_it_was(source: str) -> None:
    text = clean_text(source)
    assert "".join(chunk.text for chunk in preview(parse(source), {})) == text
    assert clean_text(text) == text


@given(st.text(min_size=1), st.text())
def test_a_value_stands_in_the_text_unchanged_and_alone(value: str, unused: str) -> None:
    chunks = preview(parse("[{{ name }}]"), {"name": value, "unused": unused})
    expected = Chunk(clean_text(value), ChunkKind.VALUE)
    assert chunks[1] == expected or chunks[1].kind is ChunkKind.MISSING
    assert [chunks[0].text, chunks[2].text] == ["[", "]"]
