"""Answers as people read them: on the pages of submissions, in exports, and in the text of a confirmation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.phones import pretty

from .definition import Definition, Field, Kind


@dataclass(frozen=True)
class Shown:
    """An answer with its question."""

    field: Field
    text: str
    value: Any


def shown_answer(field: Field, value: Any) -> str:
    """Return one answer in words, "" where there is none."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(value.get("name", ""))
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, float):
        return format(value, "f").rstrip("0").rstrip(".")
    return pretty(str(value)) if field.kind == Kind.PHONE else str(value)


def shown_answers(definition: Definition, answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and words of every answer that was given."""
    for field in definition.fields:
        if text := shown_answer(field, answers.get(field.key)):
            yield field.key, text


def answers_of(definition: Definition, answers: Mapping[str, Any]) -> list[Shown]:
    """Return every question with its answer, unanswered ones too."""
    return [
        Shown(field, shown_answer(field, answers.get(field.key)), answers.get(field.key)) for field in definition.fields
    ]
