"""How a wording looks to its reader, and what it takes to send: all that the editor and the send page show live."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact

from .rendering import Chunk, ChunkKind, ParsedTemplate, TemplateProblem, clean_text, parse, preview
from .segments import LONGEST_TEXT, Measurement, measure, suggest_plain
from .variables import contact_values, sample_values

FORCING = "forcing"


@dataclass(frozen=True)
class Piece:
    """A run of the text: `kind` is a ChunkKind or "forcing", then `name` is the character's."""

    text: str
    kind: str
    name: str = ""


@dataclass(frozen=True)
class ShownVariable:
    """A variable of the text with what stands in its place; `source` says where that comes from."""

    name: str
    shown: str
    source: str


@dataclass(frozen=True)
class Look:
    """The text as it arrives. With a `problem` in the wording only that is known; `plain` is the cheaper wording."""

    problem: str = ""
    text: str = ""
    pieces: tuple[Piece, ...] = ()
    variables: tuple[ShownVariable, ...] = ()
    missing: tuple[str, ...] = ()
    measured: Measurement | None = None
    plain: str = ""
    plain_measured: Measurement | None = None
    is_sample: bool = False
    forced_by_value: bool = False


def look_at(
    organization: Organization,
    *,
    body: str,
    contact: Contact | None = None,
    values: Mapping[str, str] | None = None,
) -> Look:
    """Show a wording for a contact, or with sample values for none; `values` are given by hand and come first."""
    body = clean_text(body)
    try:
        parsed = parse(body)
    except TemplateProblem as problem:
        return Look(problem=str(problem), measured=measure(body))
    given = {name: value for name, value in (values or {}).items() if value.strip()}
    names = [variable.name for variable in parsed.variables]
    known = contact_values(contact, organization) if contact else sample_values(names, organization)
    chunks = preview(parsed, {**known, **given})
    text = "".join(chunk.text for chunk in chunks)
    measured = measure(text)
    plain = suggest_plain(body) or ""
    forcing = {found.char: found.name for found in measured.forcing}
    return Look(
        text=text,
        problem=_problem(text, measured),
        pieces=tuple(_pieces(chunks, forcing)),
        variables=tuple(_shown(parsed, chunks, given, is_sample=contact is None)),
        missing=tuple(dict.fromkeys(_names(parsed, chunks, ChunkKind.MISSING))),
        measured=measured,
        plain=plain if plain != body else "",
        plain_measured=_rendered(plain, {**known, **given}) if plain else None,
        is_sample=contact is None and any(name not in given for name in names),
        forced_by_value=bool(forcing) and not measure(body).forcing,
    )


def _problem(text: str, measured: Measurement) -> str:
    if measured.too_long:
        return (
            f"The text has {measured.characters:,} characters; Twilio takes at most {LONGEST_TEXT:,}. "
            f"Shorten it by {measured.characters - LONGEST_TEXT:,}."
        )
    return ""


def _rendered(body: str, values: Mapping[str, object]) -> Measurement | None:
    try:
        return measure("".join(chunk.text for chunk in preview(parse(body), values)))
    except TemplateProblem:
        return None


def _pieces(chunks: list[Chunk], forcing: Mapping[str, str]) -> Iterator[Piece]:
    """Cut the chunks where a character forces UCS-2, so that the page can mark it."""
    if not forcing:
        yield from (Piece(chunk.text, chunk.kind) for chunk in chunks)
        return
    # Longest first: a family of four must not be found as its first member.
    alternatives = "|".join(re.escape(char) for char in sorted(forcing, key=len, reverse=True))
    cut = re.compile(f"({alternatives})")
    for chunk in chunks:
        for run in cut.split(chunk.text):
            if run:
                yield Piece(run, FORCING, forcing[run]) if run in forcing else Piece(run, chunk.kind)


def _names(parsed: ParsedTemplate, chunks: list[Chunk], kind: ChunkKind) -> Iterator[str]:
    for part, chunk in zip(parsed.parts, chunks, strict=True):
        if not isinstance(part, str) and chunk.kind is kind:
            yield part.name


def _shown(
    parsed: ParsedTemplate, chunks: list[Chunk], given: Mapping[str, str], *, is_sample: bool
) -> Iterator[ShownVariable]:
    seen: set[str] = set()
    for part, chunk in zip(parsed.parts, chunks, strict=True):
        if isinstance(part, str) or part.name in seen:
            continue
        seen.add(part.name)
        if chunk.kind is ChunkKind.MISSING:
            yield ShownVariable(part.name, "", "no value")
        elif chunk.kind is ChunkKind.FALLBACK:
            yield ShownVariable(part.name, chunk.text, "fallback")
        elif part.name in given:
            yield ShownVariable(part.name, chunk.text, "entered")
        elif part.name == "organization":
            yield ShownVariable(part.name, chunk.text, "yours")
        else:
            yield ShownVariable(part.name, chunk.text, "sample" if is_sample else "contact")
