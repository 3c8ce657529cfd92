"""Templates with variables: `{{ name }}`, `{{ contact.first_name }}`, and `{{ name | "said when there is no name" }}`.

There is nothing else: no conditions, no filters, no code. Values are put in as they are and never read as template.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from .segments import LONGEST_TEXT

LONGEST_SOURCE = 10_000

_TOKEN = re.compile(r"\{\{|\}\}|\{%")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
# Phones and word processors turn straight quotes into curly ones while people type.
_VARIABLE = re.compile(rf"""\{{\{{\s*({_NAME})\s*(?:\|\s*["“”„]([^"“”„\n]*)["“”]\s*)?\}}\}}""")
_NEWLINES = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class TemplateProblem(Exception):
    """A template cannot be used; its text is a sentence for the person who writes or sends it.

    TemplateProblem
    ├── TemplateSyntaxProblem   the template itself is wrong
    ├── MissingVariables        values are missing
    ├── TextTooLong             the text is longer than Twilio takes
    └── EmptyText               nothing would be sent
    """


class TemplateSyntaxProblem(TemplateProblem):
    """The source is not understood from `position` on (an index into the source); `line` counts from 1."""

    def __init__(self, message: str, *, position: int, line: int) -> None:
        super().__init__(message if line == 1 else f"Line {line}: {message}")
        self.message, self.position, self.line = message, position, line


class MissingVariables(TemplateProblem):
    """There is no value for `names`, every one that is missing, in the order of the template."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"A value is missing for {', '.join(names)}. Fill it in, or write a fallback in the template.")
        self.names = names


class TextTooLong(TemplateProblem):
    """The rendered text has `characters`, more than `limit`."""

    def __init__(self, characters: int, *, limit: int = LONGEST_TEXT) -> None:
        super().__init__(f"The text has {characters:,} characters; Twilio takes at most {limit:,}. Shorten it.")
        self.characters, self.limit = characters, limit


class EmptyText(TemplateProblem):
    """The rendered text has nothing that can be read."""

    def __init__(self) -> None:
        super().__init__("The text is empty. Write what the message should say.")


@dataclass(frozen=True)
class Variable:
    """A variable where it stands; `fallback` is said when there is no value, None where one is required."""

    name: str
    fallback: str | None = None

    @property
    def has_fallback(self) -> bool:
        return self.fallback is not None


@dataclass(frozen=True)
class ParsedTemplate:
    """A template that was understood: its literal texts and variables in order."""

    source: str
    parts: tuple[str | Variable, ...]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Each variable once, in order of appearance; it has a fallback only where every occurrence has one."""
        found: dict[str, Variable] = {}
        for part in self.parts:
            if isinstance(part, Variable):
                known = found.setdefault(part.name, part)
                if known.has_fallback and not part.has_fallback:
                    found[part.name] = part
        return tuple(found.values())


class ChunkKind(StrEnum):
    """Where a piece of a preview comes from."""

    TEXT = "text"
    VALUE = "value"
    FALLBACK = "fallback"
    MISSING = "missing"


class Chunk(NamedTuple):
    """A piece of a preview; a missing variable is shown as `{{ name }}`."""

    text: str
    kind: ChunkKind


def clean_text(text: str) -> str:
    """Return the text as it may be sent: newlines are LF, other control characters and half pairs of UTF-16 are gone.

    A browser's CR LF would be paid as two characters; NUL cannot be stored. Tabs, which force UCS-2, become spaces.
    """
    return _UNPRINTABLE.sub("", _NEWLINES.sub("\n", text).replace("\t", " "))


@lru_cache(maxsize=1024)
def parse(source: str) -> ParsedTemplate:
    """Read a template; raise TemplateSyntaxProblem at the first thing that is not understood."""
    if len(source) > LONGEST_SOURCE:
        message = f"The template has {len(source):,} characters; the most is {LONGEST_SOURCE:,}. Shorten it."
        raise TemplateSyntaxProblem(message, position=LONGEST_SOURCE, line=1)
    return ParsedTemplate(source, tuple(_read_parts(source)))


def render(parsed: ParsedTemplate, values: Mapping[str, object]) -> str:
    """Return the text with its values; raise MissingVariables, TextTooLong or EmptyText.

    A value is missing where it is absent, None, blank, or not a single value (a mapping, a list). Dotted names are
    looked up as they are written, then step by step through mappings, never through attributes.
    """
    chunks = preview(parsed, values)
    missing = dict.fromkeys(
        part.name
        for part, chunk in zip(parsed.parts, chunks, strict=True)
        if isinstance(part, Variable) and chunk.kind is ChunkKind.MISSING
    )
    if missing:
        raise MissingVariables(tuple(missing))
    text = "".join(chunk.text for chunk in chunks)
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(len(text))
    if not _is_readable(text):
        raise EmptyText
    return text


def preview(parsed: ParsedTemplate, values: Mapping[str, object]) -> list[Chunk]:
    """Return the text in pieces that tell literal text, values, fallbacks and missing variables apart."""
    return [_fill(part, values) if isinstance(part, Variable) else Chunk(part, ChunkKind.TEXT) for part in parsed.parts]


def _fill(variable: Variable, values: Mapping[str, object]) -> Chunk:
    value = _look_up(variable.name, values)
    if value is not None:
        return Chunk(value, ChunkKind.VALUE)
    if variable.fallback is not None:
        return Chunk(variable.fallback, ChunkKind.FALLBACK)
    return Chunk(f"{{{{ {variable.name} }}}}", ChunkKind.MISSING)


def _look_up(name: str, values: Mapping[str, object]) -> str | None:
    found: object = values.get(name)
    if found is None and "." in name:
        found = values
        for step in name.split("."):
            if not isinstance(found, Mapping):
                return None
            found = found.get(step)
    if isinstance(found, str) and found.isprintable():  # nearly every value: nothing to clean
        return found if found.strip() else None
    # Written out, these would show what nobody meant to send: a whole record, an object's address.
    if found is None or isinstance(found, Mapping | list | tuple | set | frozenset | bytes) or callable(found):
        return None
    text = clean_text(str(found))
    return text if _is_readable(text) else None


def _is_readable(text: str) -> bool:
    """Tell whether there is anything to see: not only spaces and characters without width."""
    if text.isascii():
        return bool(text.strip())
    return any(not character.isspace() and unicodedata.category(character) != "Cf" for character in text)


def _read_parts(source: str) -> Iterator[str | Variable]:
    position = 0
    while token := _TOKEN.search(source, position):
        start = token.start()
        variable = _VARIABLE.match(source, start)
        if variable is None:
            raise _diagnose(source, start)
        if literal := clean_text(source[position:start]):
            yield literal
        name, fallback = variable.groups()
        yield Variable(name, None if fallback is None else clean_text(fallback))
        position = variable.end()
    if literal := clean_text(source[position:]):
        yield literal


def _diagnose(source: str, position: int) -> TemplateSyntaxProblem:
    return TemplateSyntaxProblem(
        _explain(source, position), position=position, line=source.count("\n", 0, position) + 1
    )


def _explain(source: str, position: int) -> str:
    """Say in plain words what is wrong with the braces at `position`."""
    opening = source[position : position + 2]
    if opening == "{%":
        return "Only {{ variables }} are understood here; take out what stands in {% … %}."
    if opening == "}}":
        return "There is a }} without {{ before it. Write variables like {{ first_name }}, or take the braces out."
    end = source.find("}}", position)
    following = source.find("{{", position + 2)
    if end < 0 or 0 <= following < end:
        return "A variable is opened with {{ but not closed. Add }} after its name."
    inside = source[position + 2 : end].strip()
    name, _, fallback = (piece.strip() for piece in inside.partition("|"))
    if not name:
        return "There is no name between {{ and }}. Write one, like {{ first_name }}."
    if not re.fullmatch(_NAME, name):
        return (
            f"“{_shorten(name)}” is not a variable's name. Names have letters A–Z, digits and _, begin with a letter, "
            "and may be joined by dots, like {{ contact.first_name }}."
        )
    return (
        f"The fallback of “{_shorten(name)}” is not understood. Write it in quotation marks, "
        f'like {{{{ {_shorten(name)} | "{_example(fallback)}" }}}}.'
    )


def _example(fallback: str) -> str:
    words = re.sub(r'["“”„\n]', "", fallback).strip()
    return _shorten(words) if words else "there"


def _shorten(words: str) -> str:
    return words if len(words) <= 40 else f"{words[:39]}…"
