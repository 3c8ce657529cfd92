"""What a page of questions sent: each number read as one of the country chosen beside it, and what to show again."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from integrations.phones import PhoneProblem, parse_phone
from portal.forms.answers import Reading, SentFile, read_answers
from portal.forms.definition import Definition, Kind
from portal.forms.phone_words import phone_sentence

from .countries import Country, chosen_region


def chosen_countries(
    definition: Definition, posted: QueryDict, *, offered: Sequence[Country], usual: str
) -> dict[str, str]:
    """Return the country of each number: the one chosen beside it, or the only one there is."""
    return {
        field.key: chosen_region(posted.get(f"{field.key}-country", ""), offered=offered, usual=usual)
        for field in definition.fields
        if field.kind == Kind.PHONE
    }


def read_page(
    definition: Definition,
    posted: QueryDict,
    files: Mapping[str, SentFile],
    *,
    chosen: Mapping[str, str],
    region: str,
    kept: Mapping[str, Any] | None = None,
) -> Reading:
    """Read the answers. `kept` are those of before: a file among them stays where no other is sent."""
    data = posted.copy()
    unreadable: dict[str, str] = {}
    for key, country in chosen.items():
        try:
            data[key] = parse_phone(data.get(key, ""), region=country).e164
        except PhoneProblem as problem:
            if problem.code != "empty":
                unreadable[key] = phone_sentence(problem.code)
    kept_files = {key: value for key, value in (kept or {}).items() if isinstance(value, dict)}
    reading = read_answers(definition, data, files, region=region, kept_files=kept_files)
    # What is no number of the chosen country might be one of the organization's: somebody else's.
    reading.problems |= unreadable
    return reading


def lost_files(definition: Definition, files: Mapping[str, SentFile]) -> dict[str, str]:
    """Browsers choose no file again by themselves, and nothing is kept before all of it is right."""
    text = _("Choose this file again: it is kept once everything else is right.")
    return {key: text for key, file in files.items() if file.content and definition.find(key) is not None}


def typed(definition: Definition, posted: QueryDict) -> dict[str, str | list[str]]:
    """Return what was typed, as it was typed."""
    return {
        field.key: posted.getlist(field.key) if field.kind == Kind.CHOICES else posted.get(field.key, "")
        for field in definition.fields
        if field.kind != Kind.FILE
    }
