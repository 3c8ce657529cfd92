"""What a run knows: fields with a path, a type and a label; reading them, and putting them into texts.

A path is written as in templates: `trigger.order.id`, `contact.name`, `n2.status`. Keys of what comes from outside are
made into such names by `plain_keys`: `Order-ID` becomes `Order_ID`, the first of a list `_0`.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from messaging.templates.rendering import MissingVariables, Variable, parse

LONGEST_VALUE = 2_000
_DEEPEST, _MOST_KEYS = 6, 500
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # what the database stores in no text


class Type(StrEnum):
    """What can be done with a field: how it is compared, and which pickers offer it."""

    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    DATE = "date"
    MOMENT = "moment"
    PHONE = "phone"
    CHOICE = "choice"


@dataclass(frozen=True)
class Field:
    """Something a run will know; `example` is shown while there is no run, `choices` are those of a choice."""

    path: str
    label: str
    type: Type = Type.TEXT
    example: Any = ""
    choices: tuple[str, ...] = ()


def look_up(values: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path, None where nothing does."""
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def fill_in(text: str, values: Mapping[str, Any]) -> str:
    """Return a text with its variables filled in; an unknown one without a fallback raises MissingVariables.

    A text without anything in it is fine here: whether it may be empty is the node's affair.
    """
    if "{{" not in text:
        return text
    parsed = parse(text)
    known = as_texts(values)
    missing = tuple(
        part.name
        for part in parsed.parts
        if isinstance(part, Variable) and not part.has_fallback and look_up(known, part.name) is None
    )
    if missing:
        raise MissingVariables(missing)
    pieces = (
        part if isinstance(part, str) else str(look_up(known, part.name) or part.fallback or "")
        for part in parsed.parts
    )
    return "".join(pieces)


def as_texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as texts that a message may say, record by record; what is empty is left out."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            made[name] = as_texts(value)
        elif isinstance(value, bool):
            made[name] = "yes" if value else "no"
        elif value not in (None, ""):
            made[name] = str(value)[:LONGEST_VALUE]
    return made


def plain_keys(raw: Any, *, _depth: int = 1) -> Any:
    """Return what JSON brought with keys that variables can name; lists become records of `_0`, `_1`, …

    What lies deeper than six records, and of a record more than 500 keys, is left out.
    """
    if isinstance(raw, list):
        raw = {f"_{index}": value for index, value in enumerate(raw)}
    if not isinstance(raw, Mapping):
        return _plain_value(raw)
    if _depth > _DEEPEST:
        return {}
    made: dict[str, Any] = {}
    for key, value in list(raw.items())[:_MOST_KEYS]:
        name = _NOT_IN_A_NAME.sub("_", str(key))[:60] or "_"
        made.setdefault(f"_{name}" if name[0].isdigit() else name, plain_keys(value, _depth=_depth + 1))
    return made


def _plain_value(raw: Any) -> Any:
    if isinstance(raw, float) and not math.isfinite(raw):
        return None
    return raw if isinstance(raw, bool | int | float) or raw is None else _NO_TEXT.sub("", str(raw)[:LONGEST_VALUE])


def fields_of(values: Mapping[str, Any], *, under: str) -> list[Field]:
    """Return the fields that a sample shows, by the types of its values."""
    found: list[Field] = []
    for name, value in values.items():
        path = f"{under}.{name}"
        if isinstance(value, Mapping):
            found += fields_of(value, under=path)
        else:
            found.append(Field(path, path_in_words(path.partition(".")[2]) or path, type_of(value), value))
    return found


def path_in_words(path: str) -> str:
    """Return a path as people read it: `order.first_name` → "order › first name"."""
    return path.replace(".", " › ").replace("_", " ").strip()


def type_of(value: Any) -> Type:
    """Return the type of a sample's value; a text that looks like a number for phones is one."""
    if isinstance(value, bool):
        return Type.YES_NO
    if isinstance(value, int | float | Decimal):
        return Type.NUMBER
    if isinstance(value, datetime):
        return Type.MOMENT
    if isinstance(value, date):
        return Type.DATE
    text = str(value or "")
    if re.fullmatch(r"\+[0-9 ()-]{7,20}", text):
        return Type.PHONE
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return Type.DATE
    if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
        return Type.MOMENT
    return Type.TEXT


def example_values(fields: Iterable[Field]) -> dict[str, Any]:
    """Return the examples of fields as the records that texts look into."""
    made: dict[str, Any] = {}
    for field in fields:
        *path, last = field.path.split(".")
        place = made
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                break
        else:
            place.setdefault(last, field.example if field.example not in (None, "") else field.label)
    return made
