"""The languages that visitors read, and which of them to speak."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation.trans_real import parse_accept_lang_header


@dataclass(frozen=True)
class Language:
    """A language of the public pages: `code` is Django's, `tag` what HTML calls it, `name` its own word for itself."""

    code: str
    tag: str
    name: str
    direction: str = "ltr"


LANGUAGES = {
    language.code: language
    for language in (
        Language("en", "en", "English"),
        Language("zh-hans", "zh-Hans", "简体中文"),
        Language("zh-hant", "zh-Hant", "繁體中文"),
        Language("nl", "nl", "Nederlands"),
        Language("de", "de", "Deutsch"),
        Language("es", "es", "Español"),
        Language("fr", "fr", "Français"),
        Language("ar", "ar", "العربية", "rtl"),
    )
}
# Where Chinese is asked for by a place, the place tells the script.
_TRADITIONAL = ("tw", "hk", "mo")


def offered_by(codes: object) -> list[Language]:
    """Return the languages of a form, the one it was written in first; English where it names none that we speak."""
    given = codes if isinstance(codes, list | tuple) else []
    known = [LANGUAGES[code] for code in given if isinstance(code, str) and code in LANGUAGES]
    return list(dict.fromkeys(known)) or [LANGUAGES["en"]]


def choose(offered: Sequence[Language], *, wanted: str = "", accept: str = "") -> Language:
    """Return the language to speak: the one asked for, else the browser's first that is offered, else the usual."""
    for language in offered:
        if wanted and wanted.lower() in {language.code, language.tag.lower()}:
            return language
    for tag, weight in parse_accept_lang_header(accept[:300].lower()):
        if weight > 0 and (found := _match(tag, offered)):
            return found
    return offered[0]


def _match(tag: str, offered: Sequence[Language]) -> Language | None:
    primary, *rest = tag.split("-")
    if primary != "zh":
        return next((language for language in offered if language.code == primary), None)
    is_named = "hans" in rest or "hant" in rest
    wanted = "zh-hant" if "hant" in rest or (not is_named and any(part in _TRADITIONAL for part in rest)) else "zh-hans"
    # Who reads one script reads the other with some effort, and better than a language that is not theirs.
    order = sorted(offered, key=lambda language: language.code != wanted)
    return next((language for language in order if language.code.startswith("zh-")), None)
