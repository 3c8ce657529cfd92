"""One row of a file, read as a contact: each cell by the rules of the address book, with what is wrong in it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from integrations.organizations.models import Organization
from integrations.organizations.places import is_time_zone, languages
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.consent.opt_outs import STOP_TAG
from messaging.contacts.address_book import plain_line
from messaging.contacts.attributes import AttributeProblem, definitions_of, read_value
from messaging.contacts.models import AttributeDefinition, Contact
from messaging.csv_files.formulas import unescape_formula
from messaging.csv_files.inspection import Inspection
from messaging.csv_files.reading import Row

from .fields import ATTRIBUTE
from .models import ContactImport

MOST_TAGS = 20  # in one cell
LONGEST_TAG = 60
CONSENT = "consent"
_YES = frozenset({
    "yes", "y", "true", "1", "x", "on", "ok", "✓", "✔", "granted", "given", "subscribed", "opt-in", "optin", "ja", "j",
    "oui", "sí", "si", "sì", "sim", "да", "tak", "evet", "igen", "kyllä", "是", "有", "はい", "예", "네", "نعم", "हाँ",
})  # fmt: skip
_NO = frozenset({
    "no", "n", "false", "0", "off", "✗", "withdrawn", "revoked", "unsubscribed", "opt-out", "optout", "nein", "non",
    "não", "nao", "нет", "nie", "hayır", "nem", "ei", "nee", "nej", "nei", "否", "无", "いいえ", "아니요", "لا", "नहीं",
})  # fmt: skip
_BETWEEN_TAGS = re.compile(r"[,;|\n]")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the rows of one import are read."""

    organization: Organization
    inspection: Inspection
    mapping: dict[str, int]
    region: str
    definitions: Sequence[AttributeDefinition] = ()

    @classmethod
    def of(cls, importing: ContactImport) -> "Plan":
        """Return the plan that a member made."""
        return cls(
            organization=importing.organization,
            inspection=Inspection.from_json(importing.inspection),
            mapping={key: int(column) for key, column in importing.mapping.items()},
            region=importing.options.get("region") or importing.organization.default_region,
            definitions=definitions_of(importing.organization),
        )


@dataclass(kw_only=True)
class Draft:
    """What a row says of a contact; `problems` by column, under None what is wrong with the row as a whole."""

    row: Row
    phone: Phone | None = None
    values: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    consent: bool | None = None
    opted_out: bool = False
    problems: dict[int | None, str] = field(default_factory=dict)

    @property
    def e164(self) -> str:
        return self.phone.e164 if self.phone else ""

    @property
    def is_good(self) -> bool:
        return self.phone is not None and not self.problems


def read_draft(plan: Plan, row: Row) -> Draft:
    """Return what the row says; an empty cell says nothing, and leaves standing what is known."""
    draft = Draft(row=row)
    if row.problem is not None:
        draft.problems[None] = row.problem.detail
        return draft
    for key, column in plan.mapping.items():
        cell = unescape_formula(row.cells[column]).strip() if column < len(row.cells) else ""
        if not cell and key != "phone":
            continue
        try:
            _read_cell(plan, draft, key, cell)
        except CellProblem as problem:
            draft.problems[column] = problem.words
    last = draft.values.pop("last_name", "")
    if last:
        draft.values["name"] = f"{draft.values.get('name', '')} {last}".strip()
    if len(draft.values.get("name", "")) > 150:
        draft.problems[plan.mapping.get("name", plan.mapping.get("last_name"))] = (
            "At most 150 characters fit. Shorten it."
        )
    return draft


class CellProblem(Exception):
    """A cell that cannot be taken, in words that say what to write instead."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def read_yes_no(cell: str) -> bool:
    """Return what a cell answers, in several languages; raises CellProblem for anything else."""
    word = cell.strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellProblem("Write yes or no, or leave it empty where it is not known.")


def changes_of(contact: Contact, draft: Draft) -> dict[str, Any]:
    """Return the contact's fields that the draft would change, with their new values."""
    changed: dict[str, Any] = {name: value for name, value in draft.values.items() if getattr(contact, name) != value}
    merged = {**contact.attributes, **draft.attributes}
    if merged != contact.attributes:
        changed["attributes"] = merged
    return changed


def _read_cell(plan: Plan, draft: Draft, key: str, cell: str) -> None:
    if key == "phone":
        try:
            draft.phone = parse_phone(cell, region=plan.region, allow_magic=True)
        except PhoneProblem as problem:
            raise CellProblem(problem.message) from problem
    elif key in {"name", "last_name"}:
        draft.values[key] = plain_line(cell)
    elif key == "email":
        draft.values[key] = _email(cell)
    elif key == "language":
        draft.values[key] = _language(cell)
    elif key == "time_zone":
        draft.values[key] = _time_zone(cell)
    elif key == "notes":
        draft.values[key] = _notes(cell)
    elif key == "tags":
        draft.tags = _tags(cell)
    elif key == "opted_out":
        draft.opted_out = read_yes_no(cell)
    elif key == CONSENT:
        draft.consent = read_yes_no(cell)
    elif key.startswith(ATTRIBUTE):
        _attribute(plan, draft, key.removeprefix(ATTRIBUTE), cell)


def _attribute(plan: Plan, draft: Draft, key: str, cell: str) -> None:
    definition = next((known for known in plan.definitions if known.key == key), None)
    if definition is None:
        return  # archived since the columns were chosen
    try:
        value = read_value(definition, plain_line(cell))
    except AttributeProblem as problem:
        raise CellProblem(problem.message) from problem
    if value is not None:
        draft.attributes[key] = value


def _email(cell: str) -> str:
    address = plain_line(cell).removeprefix("mailto:")
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    if not address or len(address) > 254:
        raise CellProblem("This is no e-mail address. Write one, for example ada@example.com.")
    return address


def _language(cell: str) -> str:
    word = cell.casefold().replace("_", "-")
    known = _language_codes()
    found = known.get(word) or known.get(word.partition("-")[0])
    if found is None:
        raise CellProblem("This language is not known here. Write a code like en or de, or its English name.")
    return found


@cache
def _language_codes() -> dict[str, str]:
    codes = {str(name).casefold(): code for code, name in languages()}
    return {**codes, **{code.casefold(): code for code, _ in languages()}}


def _time_zone(cell: str) -> str:
    name = cell.replace(" ", "_")
    if not is_time_zone(name):
        raise CellProblem("There is no such time zone. Write it like Europe/Berlin or Asia/Shanghai.")
    return name


def _notes(cell: str) -> str:
    kept = (
        sign
        for sign in cell.replace("\r\n", "\n")
        if sign == "\n" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"}
    )
    notes = "".join(kept).strip()
    if len(notes) > 5000:
        raise CellProblem("At most 5,000 characters fit. Shorten it.")
    return notes


def _tags(cell: str) -> list[str]:
    names = list(dict.fromkeys(filter(None, (plain_line(name) for name in _BETWEEN_TAGS.split(cell)))))
    # It follows the opt-outs and nothing else; our own export may have brought it.
    names = [name for name in names if name.casefold() != STOP_TAG.casefold()]
    if len(names) > MOST_TAGS:
        raise CellProblem(f"A row brings at most {MOST_TAGS} tags; this has {len(names)}.")
    if any(len(name) > LONGEST_TAG for name in names):
        raise CellProblem(f"A tag has at most {LONGEST_TAG} characters. Put commas between tags.")
    return names
