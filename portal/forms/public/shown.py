"""The questions of a form as a page shows them: what was entered, what is wrong, and how a screen reader hears it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.forms.definition import Definition, Field, Kind
from portal.forms.file_kinds import MB, accept_of

from .countries import Country

Values = Mapping[str, Any]  # key of the field → what was entered: a text, or a list for several choices

_FOLDER = "portal/forms/public/fields"
_TEMPLATES = {
    Kind.LONG_TEXT: "long_text",
    Kind.PHONE: "phone",
    Kind.CHOICE: "choices",
    Kind.CHOICES: "choices",
    Kind.FILE: "file",
    Kind.CONSENT: "consent",
}
_TYPES = {Kind.EMAIL: "email", Kind.DATE: "date", Kind.CHOICE: "radio", Kind.CHOICES: "checkbox"}


@dataclass(frozen=True)
class Option:
    """An answer to choose from."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Shown:
    """A question with everything its template needs; `attributes` are those of the input, escaped."""

    field: Field
    value: Any = ""
    error: str = ""
    hints: tuple[str, ...] = ()
    countries: Sequence[Country] = ()
    country: str = ""
    kept_name: str = ""

    @property
    def id(self) -> str:
        return self.field.key

    @property
    def name(self) -> str:
        return self.field.key

    @property
    def template(self) -> str:
        return f"{_FOLDER}/{_TEMPLATES.get(self.field.kind, 'input')}.html"

    @property
    def type(self) -> str:
        return _TYPES.get(self.field.kind, "text")

    @property
    def label(self) -> str:
        return self.field.label

    @property
    def help(self) -> str:
        return self.field.help

    @property
    def wording(self) -> str:
        return self.field.wording

    @property
    def required(self) -> bool:
        return self.field.required

    @property
    def options(self) -> list[Option]:
        chosen = self.value if isinstance(self.value, list | tuple) else [self.value]
        return [Option(option, option, option in chosen) for option in self.field.options]

    @property
    def most_bytes(self) -> str:
        """For the script: a number would get separators of thousands in a page."""
        return str(self.field.most * MB)

    @property
    def too_large(self) -> str:
        return _("This file is too large. Choose one of at most %(size)s MB.") % {"size": self.field.most}

    @property
    def described_by(self) -> str:
        ids = [f"{self.id}-error"] if self.error else []
        ids += [f"{self.id}-help"] if self.help else []
        ids += [f"{self.id}-hint{number}" for number in range(1, len(self.hints) + 1)]
        return " ".join([*ids, *([f"{self.id}-kept"] if self.kept_name else [])])

    @property
    def attributes(self) -> SafeString:
        wanted: dict[str, str | None] = {
            "required": "" if self.required and not self.kept_name else None,
            "aria-invalid": "true" if self.error else None,
            "aria-describedby": self.described_by or None,
            **_BY_KIND.get(self.field.kind, lambda _field: {})(self.field),
        }
        pairs = ((name, value) for name, value in wanted.items() if value is not None)
        return format_html_join("", ' {}="{}"', pairs)


def _of_text(one: Field) -> dict[str, str | None]:
    # What becomes the name of a contact is a name that the browser knows.
    return {"maxlength": str(one.most), "autocomplete": "name" if one.saves_as == "name" else None}


_BY_KIND: dict[Kind, Any] = {
    Kind.SHORT_TEXT: _of_text,
    Kind.LONG_TEXT: lambda one: {"maxlength": str(one.most)},
    Kind.EMAIL: lambda _one: {"maxlength": "254", "autocomplete": "email", "spellcheck": "false"},
    # A keyboard of digits has no minus on every phone.
    Kind.NUMBER: lambda one: {"inputmode": "text" if one.min is not None and one.min < 0 else "decimal"},
    Kind.PHONE: lambda _one: {"maxlength": "80"},
    Kind.FILE: lambda one: {"accept": accept_of(one.accept)},
}


def show(
    definition: Definition,
    *,
    values: Values,
    errors: Mapping[str, str],
    countries: Sequence[Country] = (),
    chosen: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
    is_proved: bool = False,
) -> list[Shown]:
    """Return the questions. `chosen` are the countries of numbers, `kept` the names of files that are here.

    `is_proved`: the number that stands there needs no code any more.
    """
    return [
        Shown(
            one,
            value=values.get(one.key, ""),
            error=errors.get(one.key, ""),
            hints=_hints(one, is_proved=is_proved),
            countries=countries if one.kind == Kind.PHONE else (),
            country=(chosen or {}).get(one.key, ""),
            kept_name=(kept or {}).get(one.key, ""),
        )
        for one in definition.fields
    ]


def _hints(one: Field, *, is_proved: bool) -> tuple[str, ...]:
    if one.verify and is_proved:
        return (_("This number is confirmed already. If you change it, the new one gets a code."),)
    if one.verify:
        return (_("We send a code to this number, to make sure that it is yours."),)
    if one.kind == Kind.FILE:
        kinds = ", ".join(name.upper() for name in one.accept)
        return (_("%(kinds)s, at most %(size)s MB.") % {"kinds": kinds, "size": one.most},)
    if one.kind == Kind.CHOICES:
        return (_("Choose all that fit."),)
    return ()
