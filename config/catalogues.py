"""Catalogues of what visitors read: collect the sentences from the sources, keep `config/locale` up to date.

`make messages` collects and compiles; it needs no gettext programs. Members' pages are English and have no catalogue.

A translator edits the `.po` files. A sentence that is new stands there without a translation until somebody writes
one, and a test fails meanwhile; a sentence that no source has any more is taken out.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "config" / "locale"
# Where sentences for visitors are written.
SOURCES = ("portal/**/*.py", "messaging/verification/**/*.py", "templates/portal/**/*.html")
# English needs none: its sentences are the keys. Plural forms are gettext's formulas for each language.
PLURALS = {
    "ar": "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 "
    ": 5;",
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "nl": "nplurals=2; plural=(n != 1);",
    "zh_Hans": "nplurals=1; plural=0;",
    "zh_Hant": "nplurals=1; plural=0;",
}
_PLAIN = {"_", "_lazy", "gettext", "gettext_lazy", "gettext_noop"}
_PLURAL = {"ngettext", "ngettext_lazy"}
_CONTEXT = {"pgettext", "pgettext_lazy"}
_LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_CALL = re.compile(rf"\b(gettext|ngettext|pgettext|_)\(\s*((?:{_LITERAL}\s*,?\s*)+)", re.DOTALL)


@dataclass
class Sentence:
    """A sentence to translate, and the files that have it."""

    msgid: str
    plural: str = ""
    context: str = ""
    places: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return (self.context, self.msgid)


def collect(root: Path = ROOT) -> list[Sentence]:
    """Return every sentence of the sources, each once, in a steady order."""
    found: dict[tuple[str, str], Sentence] = {}
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            place = path.relative_to(root).as_posix()
            for sentence in _read(path, place):
                known = found.setdefault(sentence.key, sentence)
                known.plural = known.plural or sentence.plural
                if place not in known.places:
                    known.places.append(place)
    return [found[key] for key in sorted(found)]


def _read(path: Path, place: str) -> Iterator[Sentence]:
    text = path.read_text(encoding="utf-8")
    yield from _in_python(text) if path.suffix == ".py" else _in_template(text, place)


def _in_python(text: str) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        literals = [
            argument.value
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        if sentence := _sentence(name, literals):
            yield sentence


def _in_template(text: str, place: str) -> Iterator[Sentence]:
    for name, arguments in _CALL.findall(templatize(text, origin=place)):
        literals = [ast.literal_eval(literal) for literal in re.findall(_LITERAL, arguments, re.DOTALL)]
        if sentence := _sentence(name, literals):
            yield sentence


def _sentence(name: str, literals: list[str]) -> Sentence | None:
    if name in _PLAIN and len(literals) >= 1 and literals[0]:
        return Sentence(literals[0])
    if name in _PLURAL and len(literals) >= 2:
        return Sentence(literals[0], plural=literals[1])
    if name in _CONTEXT and len(literals) >= 2:
        return Sentence(literals[1], context=literals[0])
    return None


def path_of(locale: str, suffix: str = "po") -> Path:
    return LOCALES / locale / "LC_MESSAGES" / f"django.{suffix}"


def update(locale: str, sentences: list[Sentence]) -> int:
    """Bring one catalogue up to date and compile it; return how many sentences wait for a translation."""
    path = path_of(locale)
    known = {}
    if path.is_file():
        known = {(entry.msgctxt or "", entry.msgid): entry for entry in polib.pofile(str(path))}
    catalogue = polib.POFile(wrapwidth=110)
    # No date and no translator's name: the file changes only when a sentence does.
    catalogue.metadata = {
        "Language": locale,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[locale],
    }
    for sentence in sentences:
        entry = _entry(sentence, known.get(sentence.key), forms=int(PLURALS[locale][len("nplurals=")]))
        catalogue.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))
    catalogue.save_as_mofile(str(path_of(locale, "mo")))
    return len(catalogue.untranslated_entries())


def _entry(sentence: Sentence, former: polib.POEntry | None, *, forms: int) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=sentence.msgid,
        msgctxt=sentence.context or None,
        occurrences=[(place, "") for place in sentence.places],
    )
    if re.search(r"%\(\w+\)", sentence.msgid):
        entry.flags.append("python-format")
    if sentence.plural:
        entry.msgid_plural = sentence.plural
        former_forms = former.msgstr_plural if former is not None else {}
        entry.msgstr_plural = {number: former_forms.get(number, "") for number in range(forms)}
    elif former is not None:
        entry.msgstr = former.msgstr
    return entry


def main() -> int:
    """Update all catalogues and say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--missing", action="store_true", help="list what waits for a translation")
    options = parser.parse_args()
    sentences = collect()
    for locale in PLURALS:
        waiting = update(locale, sentences)
        print(f"{locale}: {len(sentences)} sentences, {waiting} without a translation")
        if options.missing and waiting:
            for entry in polib.pofile(str(path_of(locale))).untranslated_entries():
                print(f"  {entry.msgid}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
