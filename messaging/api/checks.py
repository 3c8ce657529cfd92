"""Checks of single values, whose refusals carry a code of ours and words for people."""

import re
from datetime import datetime
from typing import Annotated, Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from integrations.organizations.places import is_time_zone, languages
from messaging.templates.segments import LONGEST_TEXT

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?([Zz]|[+-]\d\d(:?\d\d)?)?")
_TIME_EXAMPLE = "2026-05-01T09:00:00Z"


def refuse(code: str, detail: str) -> PydanticCustomError:
    """Return the error to raise in a check."""
    # Braces would be taken for places to fill in.
    return PydanticCustomError(f"hg_{code}", "{words}", {"words": detail})  # type: ignore[arg-type]


def storable(value: str) -> str:
    """Refuse what no database keeps as text."""
    if _UNSTORABLE.search(value):
        raise refuse("bad_characters", "Take out NUL characters and halves of surrogate pairs: they are no text.")
    return value


def _read_time(value: Any) -> datetime:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise refuse("bad_time", f"Write date and time with a zone as ISO 8601 has them, like {_TIME_EXAMPLE}.")
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise refuse("bad_time", "There is no such date or time.") from error
    if at.tzinfo is None:
        raise refuse("no_time_zone", f"The zone is missing: end with Z or an offset, like {_TIME_EXAMPLE}.")
    return at


def _read_value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refuse("not_a_value", "The value of a variable is a string or a number.")
    written = str(value)
    if len(written) > LONGEST_TEXT:
        raise refuse("too_long", f"Write at most {LONGEST_TEXT:,} characters.")
    return written


def _check_email(value: str) -> str:
    if value:
        try:
            validate_email(value)
        except DjangoValidationError as error:
            raise refuse("bad_email", "This is not an e-mail address.") from error
    return value


def _check_language(value: str) -> str:
    if value and value not in dict(languages()):
        raise refuse("unknown_language", "Write the code of a language, like de or pt-br.")
    return value


def _check_time_zone(value: str) -> str:
    if value and not is_time_zone(value):
        raise refuse("unknown_time_zone", "Write the name of a time zone, like Europe/Berlin.")
    return value


AwareTime = Annotated[
    datetime, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation")
]
VariableValue = Annotated[
    str, BeforeValidator(_read_value), WithJsonSchema({"type": ["string", "number"], "maxLength": LONGEST_TEXT})
]
Email = Annotated[str, Field(max_length=254), AfterValidator(_check_email)]
Language = Annotated[str, Field(max_length=12), AfterValidator(_check_language)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_check_time_zone)]
AttributeKey = Annotated[str, Field(max_length=40), AfterValidator(storable)]
TagName = Annotated[str, Field(max_length=60), AfterValidator(storable)]
QueryText = Annotated[str, AfterValidator(storable)]
StorableText = Annotated[str, AfterValidator(storable)]
