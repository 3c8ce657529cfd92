"""What a visitor sent, read by the definition: each answer as it is kept, or one sentence in the visitor's language.

Only fields of the definition are read. Whatever else a browser sends is as if it were not there, so that a page that
was tampered with can neither add an answer nor get around a rule. Call it in the visitor's language.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.contacts.address_book import plain_line

from .definition import Definition, Field, Kind, plain_text
from .file_kinds import FILE_KINDS, MB, kind_of
from .phone_words import phone_sentence

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,10})?|[+-]?\.\d{1,10}")
_LONGEST_EMAIL = 254
_LONGEST_NAME = 120


@dataclass(frozen=True)
class SentFile:
    """A file as it came; `content` is None where it was larger than anything the page takes."""

    name: str
    content: bytes | None


@dataclass(frozen=True)
class KeptFile:
    """A file that is taken: under the field's key, with the ending of what it really is."""

    key: str
    name: str
    kind: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass
class Reading:
    """What was read: the answers by key, the files, and what is wrong by key. `phone` is the submission's number."""

    answers: dict[str, Any] = field(default_factory=dict)
    files: list[KeptFile] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    phone: Phone | None = None

    @property
    def is_good(self) -> bool:
        return not self.problems


class AnswerProblem(Exception):
    """An answer that cannot be taken; the text is for the visitor."""


def read_answers(
    definition: Definition,
    data: QueryDict,
    files: Mapping[str, SentFile] | None = None,
    *,
    region: str | None,
    kept_files: Mapping[str, Any] | None = None,
) -> Reading:
    """Read every field of the definition.

    `region` is the one in which numbers without + are read. `kept_files` are the answers for files that came earlier
    and are still there: one is kept where no other is sent.
    """
    reading = Reading()
    for asked in definition.fields:
        try:
            if asked.kind == Kind.FILE:
                _read_file(asked, (files or {}).get(asked.key), (kept_files or {}).get(asked.key), reading)
                continue
            answer = _READERS[asked.kind](asked, data.getlist(asked.key), region)
            if answer in (None, "", [], False):
                if asked.required:
                    raise AnswerProblem(_missing(asked))
                answer = False if asked.kind == Kind.CONSENT else None
        except AnswerProblem as problem:
            reading.problems[asked.key] = str(problem)
            continue
        if isinstance(answer, Phone):
            if definition.number_field is asked:
                reading.phone = answer
            answer = answer.e164
        if answer is not None:
            reading.answers[asked.key] = answer
    return reading


def search_text_of(definition: Definition, answers: Mapping[str, Any]) -> str:
    """Return what a search among submissions looks in: every answer, in small letters."""
    parts: list[str] = []
    for asked in definition.fields:
        value = answers.get(asked.key)
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, list):
            parts += [str(one) for one in value]
        elif isinstance(value, dict):
            parts.append(str(value.get("name", "")))
        else:
            parts.append(str(value))
    return " \n".join(parts).casefold()[:20_000]


def _missing(asked: Field) -> str:
    sentences = {
        Kind.PHONE: _("Enter your phone number."),
        Kind.EMAIL: _("Enter your e-mail address."),
        Kind.CHOICE: _("Choose one of the answers."),
        Kind.CHOICES: _("Choose at least one answer."),
        Kind.DATE: _("Enter a date."),
        Kind.NUMBER: _("Enter a number."),
        Kind.FILE: _("Choose a file."),
        Kind.CONSENT: _("Tick the box to go on."),
    }
    return sentences.get(asked.kind) or _("Fill in this field.")


def _first(values: list[str]) -> str:
    return unicodedata.normalize("NFC", values[0]) if values else ""


def _short_text(asked: Field, values: list[str], region: str | None) -> str:
    return _at_most(plain_line(_first(values)), asked.most)


def _long_text(asked: Field, values: list[str], region: str | None) -> str:
    return _at_most(plain_text(_first(values)), asked.most)


def _at_most(text: str, most: int) -> str:
    if len(text) > most:
        raise AnswerProblem(
            _("This is too long: at most %(most)d characters fit, and there are %(count)d. Shorten it.")
            % {"most": most, "count": len(text)}
        )
    return text


def _phone(asked: Field, values: list[str], region: str | None) -> Phone | None:
    text = _first(values)
    if not text.strip():
        return None
    try:
        return parse_phone(text, region=region)
    except PhoneProblem as problem:
        if problem.code == "empty":
            return None
        raise AnswerProblem(phone_sentence(problem.code)) from problem


def _email(asked: Field, values: list[str], region: str | None) -> str:
    text = plain_line(unicodedata.normalize("NFKC", _first(values))).replace(" ", "")
    if not text:
        return ""
    problem = _("This is not an e-mail address. Enter one like name@example.com.")
    if len(text) > _LONGEST_EMAIL:
        raise AnswerProblem(problem)
    try:
        EmailValidator()(text)
    except ValidationError as error:
        raise AnswerProblem(problem) from error
    return text


def _choice(asked: Field, values: list[str], region: str | None) -> str:
    chosen = values[0] if values else ""
    if chosen and chosen not in asked.options:
        raise AnswerProblem(_("Choose one of the answers."))
    return chosen


def _choices(asked: Field, values: list[str], region: str | None) -> list[str]:
    chosen = [value for value in values if value]
    if any(value not in asked.options for value in chosen):
        raise AnswerProblem(_("Choose from the answers."))
    if len(set(chosen)) > asked.most:
        raise AnswerProblem(
            ngettext("Choose at most %(most)d answer.", "Choose at most %(most)d answers.", asked.most)
            % {"most": asked.most}
        )
    return [option for option in asked.options if option in chosen]


def _date(asked: Field, values: list[str], region: str | None) -> str:
    text = _plain_digits(_first(values))
    if not text:
        return ""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        day = date(int(found[1]), int(found[2]), int(found[3]))
        if not 1900 <= day.year <= 2200:
            raise ValueError
    except ValueError:
        raise AnswerProblem(_("This is not a date. Enter year, month and day, for example 2026-05-31.")) from None
    return day.isoformat()


def _number(asked: Field, values: list[str], region: str | None) -> int | float | None:
    text = _plain_digits(_first(values)).replace(" ", "").replace("−", "-").replace("٫", ".").replace(",", ".")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise AnswerProblem(_("This is not a number. Enter digits only, for example 12 or 12.5."))
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise AnswerProblem(_("This is not a number. Enter digits only, for example 12 or 12.5.")) from None
    if asked.min is not None and number < Decimal(str(asked.min)):
        raise AnswerProblem(_("Enter a number from %(least)s on.") % {"least": asked.min})
    if asked.max is not None and number > Decimal(str(asked.max)):
        raise AnswerProblem(_("Enter a number up to %(most)s.") % {"most": asked.max})
    return int(number) if number == number.to_integral_value() else float(number)


def _plain_digits(text: str) -> str:
    """Return the text with digits of any script as 0 to 9, and without what cannot be seen."""
    folded = plain_line(unicodedata.normalize("NFKC", text))
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in folded)


def _consent(asked: Field, values: list[str], region: str | None) -> bool:
    return bool(values) and values[-1] not in {"", "0", "false", "off"}


def _read_file(asked: Field, sent: SentFile | None, kept: Any, reading: Reading) -> None:
    if sent is None or (sent.content is not None and not sent.content and not sent.name):
        if kept:
            reading.answers[asked.key] = kept
        elif asked.required:
            raise AnswerProblem(_missing(asked))
        return
    if sent.content is None or len(sent.content) > asked.most * MB:
        raise AnswerProblem(_("This file is larger than %(most)d MB. Choose a smaller one.") % {"most": asked.most})
    if not sent.content:
        raise AnswerProblem(_("This file is empty. Choose another one."))
    kind = kind_of(sent.content)
    if kind is None or kind.name not in asked.accept:
        raise AnswerProblem(
            _("Files of this type are not taken here. Choose one of these: %(types)s.")
            % {"types": ", ".join(FILE_KINDS[name].label for name in asked.accept)}
        )
    name = _file_name(sent.name, endings=kind.endings)
    reading.files.append(KeptFile(key=asked.key, name=name, kind=kind.name, content=sent.content))
    reading.answers[asked.key] = {"name": name, "size": len(sent.content), "type": kind.name}


def _file_name(name: str, *, endings: Collection[str]) -> str:
    """Return the last part of the name, ending as what the file is: `x.pdf.exe` that is a PDF is `x.pdf.pdf`."""
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", plain_line(name.replace("\\", "/").rpartition("/")[2])).strip(". ")
    stem, _dot, ending = plain.rpartition(".")
    stem = stem.strip(". ")
    if ending.lower() in endings and stem:
        return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending.lower()}"
    usual = next(iter(endings))
    stem = (stem or plain or "file")[: _LONGEST_NAME - len(usual) - 1]
    return f"{stem}.{usual}"


_READERS: dict[Kind, Callable[[Field, list[str], str | None], Any]] = {
    Kind.SHORT_TEXT: _short_text,
    Kind.LONG_TEXT: _long_text,
    Kind.PHONE: _phone,
    Kind.EMAIL: _email,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.DATE: _date,
    Kind.NUMBER: _number,
    Kind.CONSENT: _consent,
}
