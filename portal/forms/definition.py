"""What a form asks: read from JSON into values that cannot be wrong, whoever wrote the JSON.

`read` takes what is being built, which may still lack something; `problems_of` says what, by field; `parse` takes only
what can be put before people. A definition is a list of fields, a field is a key, a kind, a label, and what its kind
knows besides (`_KNOWS`).
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from messaging.consent.models import ConsentPurpose
from messaging.contacts.address_book import plain_line

from .file_kinds import FILE_KINDS, LARGEST_MB

MOST_FIELDS = 60
MOST_FILES = 5
MOST_OPTIONS = 100
LONGEST_LABEL, LONGEST_HELP, LONGEST_OPTION, LONGEST_WORDING = 200, 500, 120, 1000
_KEY = re.compile(r"f[1-9][0-9]{0,5}")
_SAVES_AS = re.compile(r"|name|email|attr\.[a-z][a-z0-9_]{0,39}")
_LARGEST = 10**12

Number = int | float
Problems = dict[str, dict[str, str]]  # key of the field ("": the form) → part of the field → sentence


class Kind(StrEnum):
    """The kinds of questions."""

    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"
    PHONE = "phone"
    EMAIL = "email"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    NUMBER = "number"
    FILE = "file"
    CONSENT = "consent"


@dataclass(frozen=True)
class About:
    """What members read of a kind: its name, its icon, and the label a new one begins with."""

    name: str
    icon: str
    label: str


ABOUT: dict[Kind, About] = {
    Kind.SHORT_TEXT: About("Short text", "short_text", "Name"),
    Kind.LONG_TEXT: About("Long text", "notes", "Message"),
    Kind.PHONE: About("Phone number", "call", "Phone number"),
    Kind.EMAIL: About("E-mail address", "mail", "E-mail address"),
    Kind.CHOICE: About("One choice", "radio_button_checked", "Choose one"),
    Kind.CHOICES: About("Several choices", "check_box", "Choose what fits"),
    Kind.DATE: About("Date", "event", "Date"),
    Kind.NUMBER: About("Number", "tag", "Number"),
    Kind.FILE: About("File", "attach_file", "File"),
    Kind.CONSENT: About("Consent", "handshake", "Consent"),
}
# What a kind knows beside key, kind, label, help and required.
_KNOWS: dict[Kind, frozenset[str]] = {
    Kind.SHORT_TEXT: frozenset({"max", "saves_as"}),
    Kind.LONG_TEXT: frozenset({"max"}),
    Kind.PHONE: frozenset({"verify"}),
    Kind.EMAIL: frozenset({"saves_as"}),
    Kind.CHOICE: frozenset({"options", "saves_as"}),
    Kind.CHOICES: frozenset({"options", "max"}),
    Kind.DATE: frozenset({"saves_as"}),
    Kind.NUMBER: frozenset({"min", "max", "saves_as"}),
    Kind.FILE: frozenset({"accept", "max"}),
    Kind.CONSENT: frozenset({"wording", "purpose"}),
}
# The largest `max` of a kind, and the one where none is said: signs, choices, MB.
_MOST: dict[Kind, tuple[int, int]] = {
    Kind.SHORT_TEXT: (500, 200),
    Kind.LONG_TEXT: (5000, 2000),
    Kind.CHOICES: (MOST_OPTIONS, MOST_OPTIONS),
    Kind.FILE: (LARGEST_MB, 5),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One question. `max` counts characters, choices or megabytes, or is the largest number; `saves_as` is what the
    answer becomes of the contact: "name", "email", or "attr." and the key of an attribute."""

    key: str
    kind: Kind
    label: str = ""
    help: str = ""
    required: bool = False
    options: tuple[str, ...] = ()
    min: Number | None = None
    max: Number | None = None
    accept: tuple[str, ...] = ()
    verify: bool = False
    wording: str = ""
    purpose: str = ""
    saves_as: str = ""

    @property
    def most(self) -> int:
        """How many signs, choices or megabytes there may be at most."""
        largest, usual = _MOST[self.kind]
        return min(int(self.max), largest) if self.max is not None else usual

    @property
    def about(self) -> About:
        return ABOUT[self.kind]

    @property
    def knows(self) -> frozenset[str]:
        """The parts that this kind has beside those of all."""
        return _KNOWS[self.kind]

    def as_json(self) -> dict[str, Any]:
        """Return the field as it is kept: what is empty is left out."""
        kept: dict[str, Any] = {"key": self.key, "kind": self.kind.value, "label": self.label}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name not in kept and value not in (None, "", False, ()):
                kept[one.name] = list(value) if isinstance(value, tuple) else value
        return kept


@dataclass(frozen=True)
class Definition:
    """The questions of a form, in their order. A portal's `knows_number` before it asks: who answers has proved one."""

    fields: tuple[Field, ...] = ()
    knows_number: bool = False

    def find(self, key: str) -> Field | None:
        """Return the field of that key."""
        return next((field for field in self.fields if field.key == key), None)

    @property
    def verified_field(self) -> Field | None:
        """The field whose number has to be proved."""
        return next((field for field in self.fields if field.verify), None)

    @property
    def number_field(self) -> Field | None:
        """The field whose number the submission goes by: the proved one, or the first that asks for one."""
        if self.knows_number:
            return None
        phones = (field for field in self.fields if field.kind == Kind.PHONE)
        return self.verified_field or next(phones, None)

    @property
    def consents(self) -> list[Field]:
        return [field for field in self.fields if field.kind == Kind.CONSENT]

    def as_json(self) -> list[dict[str, Any]]:
        return [field.as_json() for field in self.fields]


class DefinitionProblem(Exception):
    """What was read is not a form that people can be asked to fill in; `problems` says what, by field."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__("; ".join(text for parts in problems.values() for text in parts.values()))


def parse(raw: object, *, knows_number: bool = False) -> Definition:
    """Return a definition that can be put before people; raise DefinitionProblem."""
    definition = read(raw, knows_number=knows_number)
    if problems := problems_of(definition):
        raise DefinitionProblem(problems)
    return definition


def read(raw: object, *, knows_number: bool = False) -> Definition:
    """Return a definition of which every part has its type and its size; raise DefinitionProblem.

    Labels may be empty and options missing: that is what `problems_of` is for.
    """
    if not isinstance(raw, list):
        raise DefinitionProblem({"": {"fields": "A form is a list of questions."}})
    if len(raw) > MOST_FIELDS:
        raise DefinitionProblem({"": {"fields": f"A form has at most {MOST_FIELDS} questions."}})
    found: list[Field] = []
    problems: Problems = {}
    for place, one in enumerate(raw):
        try:
            field = read_field(one)
            if any(field.key == earlier.key for earlier in found):
                raise FieldProblem("key", "Two questions have the same key.")
            found.append(field)
        except FieldProblem as problem:
            key = one.get("key") if isinstance(one, Mapping) else None
            name = key if isinstance(key, str) and _KEY.fullmatch(key) else f"#{place + 1}"
            problems.setdefault(name, {})[problem.part] = problem.text
    if problems:
        raise DefinitionProblem(problems)
    return Definition(tuple(found), knows_number)


def problems_of(definition: Definition) -> Problems:
    """Return what keeps the form from being published, by field and part."""
    found: Problems = {}

    def note(key: str, part: str, text: str) -> None:
        found.setdefault(key, {}).setdefault(part, text)

    if not definition.fields and not definition.knows_number:
        note("", "fields", "Add a question first: a form without one has nothing to send.")
    for field in definition.fields:
        if not field.label:
            note(field.key, "label", "Give this question a label.")
        if "options" in field.knows and len(field.options) < 2:
            note(field.key, "options", "Give at least two answers to choose from, one a line.")
        if field.kind == Kind.NUMBER and field.min is not None and field.max is not None and field.min > field.max:
            note(field.key, "max", "The largest number is below the smallest.")
    _note_numbers(definition, note)
    _note_saving(definition, note)
    if sum(field.kind == Kind.FILE for field in definition.fields) > MOST_FILES:
        note("", "fields", f"A form takes at most {MOST_FILES} files.")
    return found


def new_field(kind: Kind, *, key: str) -> Field:
    """Return a field of that kind as it begins."""
    begins: dict[Kind, dict[str, Any]] = {
        Kind.PHONE: {"required": True, "verify": False},
        Kind.CHOICE: {"options": ("First answer", "Second answer")},
        Kind.CHOICES: {"options": ("First answer", "Second answer")},
        Kind.FILE: {"accept": ("pdf", "jpg", "png")},
        Kind.CONSENT: {"purpose": ConsentPurpose.TRANSACTIONAL.value},
    }
    return Field(key=key, kind=kind, label=ABOUT[kind].label, **begins.get(kind, {}))


class FieldProblem(Exception):
    """A part of a field that cannot be taken: which one, and a sentence."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(text)
        self.part, self.text = part, text


def read_field(raw: object) -> Field:
    """Return one field; raise FieldProblem. What its kind does not know must not be there."""
    if not isinstance(raw, Mapping) or not all(isinstance(name, str) for name in raw):
        raise FieldProblem("fields", "A question is a record with a key, a kind and a label.")
    key = raw.get("key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise FieldProblem("key", "The key of a question is f and a number.")
    if raw.get("kind") not in list(Kind):
        raise FieldProblem("kind", "There is no such kind of question.")
    kind = Kind(str(raw["kind"]))
    unknown = set(raw) - {"key", "kind", "label", "help", "required"} - _KNOWS[kind]
    if unknown:
        raise FieldProblem(sorted(unknown)[0][:40], "A question of this kind does not have this.")
    verify = _flag(raw, "verify")
    return Field(
        key=key,
        kind=kind,
        label=_line(raw, "label", most=LONGEST_LABEL),
        help=_text(raw, "help", most=LONGEST_HELP),
        # A number that is to be proved cannot be left out.
        required=_flag(raw, "required") or verify,
        options=_options(raw),
        min=_number(raw, "min"),
        max=_most(raw, kind),
        accept=_accept(raw) if kind == Kind.FILE else (),
        verify=verify,
        wording=_text(raw, "wording", most=LONGEST_WORDING),
        purpose=_purpose(raw) if kind == Kind.CONSENT else "",
        saves_as=_saves_as(raw, kind),
    )


def _note_numbers(definition: Definition, note: Any) -> None:
    """What has to do with the number: one is proved at most, and consent is kept with one."""
    proved = [field for field in definition.fields if field.verify]
    for further in proved[1:]:
        note(further.key, "verify", "Only one number of a form can be verified.")
    if definition.knows_number:
        for field in proved:
            note(field.key, "verify", "A portal proves the number before it asks this: switch “Verify by code” off.")
    number = definition.number_field
    for field in definition.consents:
        if not field.wording:
            note(field.key, "wording", "Write what people agree to: the ledger keeps these very words.")
        if definition.knows_number:
            continue
        if number is None or not number.required:
            note(
                field.key,
                "purpose",
                "Consent is kept with a phone number: add a question for the phone number and make it required.",
            )
        elif field.purpose == ConsentPurpose.MARKETING and not number.verify:
            note(
                field.key,
                "purpose",
                "Marketing needs proof that the number is theirs: switch on “Verify by code” at the phone number.",
            )


def _note_saving(definition: Definition, note: Any) -> None:
    taken: set[str] = set()
    for field in definition.fields:
        if field.saves_as and field.saves_as in taken:
            note(field.key, "saves_as", "Another question is kept there already.")
        taken.add(field.saves_as)


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name, False)
    if not isinstance(value, bool):
        raise FieldProblem(name, "This is either so or not.")
    return value


def _line(raw: Mapping[str, Any], name: str, *, most: int) -> str:
    return _at_most(name, plain_line(_string(raw, name)), most)


def _text(raw: Mapping[str, Any], name: str, *, most: int) -> str:
    return _at_most(name, plain_text(_string(raw, name)), most)


def _string(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str):
        raise FieldProblem(name, "Write a text.")
    return value


def _at_most(name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise FieldProblem(name, f"At most {most:,} characters fit; this has {len(text):,}.")
    return text


def plain_text(text: str) -> str:
    """Return a text of several lines without signs that cannot be seen or that turn the reading direction."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = (
        "".join(
            " " if sign == "\t" else sign
            for sign in line
            if sign == "\t" or sign in "\u200c\u200d" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"}
        ).rstrip()
        for line in lines
    )
    return "\n".join(kept).strip()


def _options(raw: Mapping[str, Any]) -> tuple[str, ...]:
    value = raw.get("options", [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise FieldProblem("options", "The answers to choose from are texts.")
    options = tuple(dict.fromkeys(line for one in value if (line := plain_line(one))))
    if len(options) > MOST_OPTIONS:
        raise FieldProblem("options", f"At most {MOST_OPTIONS} answers can be chosen from.")
    for option in options:
        _at_most("options", option, LONGEST_OPTION)
    return options


def _number(raw: Mapping[str, Any], name: str) -> Number | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FieldProblem(name, "Write a number.")
    if abs(value) > _LARGEST:
        raise FieldProblem(name, "A number has at most twelve digits.")
    return int(value) if value == int(value) else value


def _most(raw: Mapping[str, Any], kind: Kind) -> Number | None:
    value = _number(raw, "max")
    if value is None or kind not in _MOST:
        return value
    largest, _ = _MOST[kind]
    if not isinstance(value, int) or not 1 <= value <= largest:
        raise FieldProblem("max", f"Write a whole number from 1 to {largest:,}.")
    return value


def _accept(raw: Mapping[str, Any]) -> tuple[str, ...]:
    value = raw.get("accept", [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one in FILE_KINDS for one in value):
        raise FieldProblem("accept", "There is no such type of file.")
    if not value:
        raise FieldProblem("accept", "Choose at least one type of file.")
    return tuple(name for name in FILE_KINDS if name in value)


def _purpose(raw: Mapping[str, Any]) -> str:
    value = raw.get("purpose", "")
    if value not in {ConsentPurpose.MARKETING.value, ConsentPurpose.TRANSACTIONAL.value}:
        raise FieldProblem("purpose", "Choose what people agree to be written to about.")
    return str(value)


def _saves_as(raw: Mapping[str, Any], kind: Kind) -> str:
    value = _string(raw, "saves_as")
    is_of_kind = value not in {"name", "email"} or (value, kind) in {
        ("name", Kind.SHORT_TEXT),
        ("email", Kind.EMAIL),
    }
    if not _SAVES_AS.fullmatch(value) or not is_of_kind:
        raise FieldProblem("saves_as", "This cannot be kept there.")
    return value
