"""What an organization keeps about its contacts beside the usual: typed values, read from forms, files and the API."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.organizations.models import Organization

from .models import AttributeDefinition

Kind = AttributeDefinition.Kind
MOST_DEFINITIONS = 50
MOST_CHOICES = 100
LONGEST_TEXT = 500
LONGEST_CHOICE = 80
# Names that a template or a filter already gives a meaning to.
RESERVED = frozenset({
    "name", "first_name", "phone", "email", "organization", "contact", "language", "notes", "tags", "time_zone",
    "country", "region", "id", "created_at", "updated_at",
})  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?([Zz]|[+-][0-9]{2}:?[0-9]{2}))?"
)
_YES = frozenset({"yes", "true", "1", "y", "on"})
_NO = frozenset({"no", "false", "0", "n", "off"})
_LARGEST = Decimal(10) ** 15


class AttributeProblem(Exception):
    """A value that its attribute cannot take: which attribute, a stable code, and a sentence."""

    def __init__(self, key: str, code: str, message: str) -> None:
        super().__init__(message)
        self.key, self.code, self.message = key, code, message


def definitions_of(organization: Organization, *, with_archived: bool = False) -> list[AttributeDefinition]:
    """Return what the organization keeps, in its order."""
    rows = AttributeDefinition.objects.filter(organization=organization)
    return list(rows if with_archived else rows.filter(archived_at=None))


def is_key(text: str) -> bool:
    """Tell whether an attribute may have this key."""
    return bool(_KEY.fullmatch(text)) and text not in RESERVED


def read_value(definition: AttributeDefinition, raw: Any) -> Any:
    """Return a value as it is stored, None for an empty one; raise AttributeProblem for one of another type.

    Takes what a form or a file has (text) as well as what JSON has. Numbers are stored as JSON numbers of at most 15
    digits, dates as ISO's text, as are moments: without an offset they are on the contact's clock.
    """
    if isinstance(raw, str):
        raw = raw.replace("\x00", "").strip()
    if raw is None or raw == "":
        return None
    return _READERS[Kind(definition.kind)](definition, raw)


def read_values(
    definitions: Sequence[AttributeDefinition], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[AttributeProblem]]:
    """Return the values that could be read (None: to be taken away), and what is wrong with the others."""
    known = {definition.key: definition for definition in definitions}
    values, problems = {}, []
    for key, raw in given.items():
        if key not in known:
            problems.append(AttributeProblem(str(key)[:40], "unknown", "There is no attribute of this name."))
            continue
        try:
            values[key] = read_value(known[key], raw)
        except AttributeProblem as problem:
            problems.append(problem)
    return values, problems


def changed(stored: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored values with the given ones in their place; None takes one away."""
    merged = {**stored, **values}
    return {key: value for key, value in merged.items() if value is not None}


def shown(definition: AttributeDefinition, value: Any) -> str:
    """Return a stored value as people and templates read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    return "" if value is None else str(value)


def _text(definition: AttributeDefinition, raw: Any) -> str:
    if isinstance(raw, bool | list | dict):
        raise AttributeProblem(definition.key, "not_a_text", "Write a text.")
    text = str(raw)
    if len(text) > LONGEST_TEXT:
        raise AttributeProblem(
            definition.key, "too_long", f"At most {LONGEST_TEXT} characters fit; this has {len(text):,}."
        )
    return text


def _number(definition: AttributeDefinition, raw: Any) -> int | float:
    problem = AttributeProblem(definition.key, "not_a_number", "Write a number, for example 12 or 12.5.")
    if isinstance(raw, bool | list | dict):
        raise problem
    try:
        number = Decimal(str(raw).replace(" ", "").replace("\u00a0", "").replace("\u202f", ""))
    except InvalidOperation:
        raise problem from None
    if not number.is_finite():
        raise problem
    if abs(number) >= _LARGEST or len(number.normalize().as_tuple().digits) > 15:
        raise AttributeProblem(definition.key, "too_large", "A number has at most 15 digits.")
    if number == number.to_integral_value():
        return int(number)
    value = float(number)
    if not math.isfinite(value):
        raise problem
    return value


def _date(definition: AttributeDefinition, raw: Any) -> str:
    if isinstance(raw, date):
        return date(raw.year, raw.month, raw.day).isoformat()
    problem = AttributeProblem(definition.key, "not_a_date", "Write a date as year-month-day, for example 2026-05-01.")
    if not _DATE.fullmatch(str(raw)):
        raise problem
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise problem from None


def _moment(definition: AttributeDefinition, raw: Any) -> str:
    """Read date and time to the minute; an offset stays, because it says which moment of the world is meant."""
    problem = AttributeProblem(
        definition.key, "not_a_moment", "Write date and time, for example 2026-05-01 14:30 or 2026-05-01T14:30+02:00."
    )
    text = raw.isoformat() if isinstance(raw, datetime) else str(raw)
    if not _MOMENT.fullmatch(text):
        raise problem
    try:
        at = datetime.fromisoformat(text.upper().replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
        return at.isoformat(timespec="minutes")
    except ValueError:
        raise problem from None


def _yes_no(definition: AttributeDefinition, raw: Any) -> bool:
    word = str(raw).casefold()
    if isinstance(raw, bool) or word in _YES | _NO:
        return word in _YES
    raise AttributeProblem(definition.key, "not_yes_or_no", "Write yes or no.")


def _choice(definition: AttributeDefinition, raw: Any) -> str:
    wanted = str(raw).casefold()
    for choice in definition.choices:
        if choice.casefold() == wanted:
            return str(choice)
    offered = ", ".join(str(choice) for choice in definition.choices[:10])
    more = " …" if len(definition.choices) > 10 else ""
    raise AttributeProblem(definition.key, "not_a_choice", f"Choose one of: {offered}{more}.")


_READERS = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: _choice,
}
