"""What visitors read is there in every language, and what is compiled is what translators wrote."""

import gettext
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils import translation

from config.catalogues import LOCALES, PLURALS, collect, path_of, update

SENTENCES = collect()
_PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}|<[^>]+>")


def places(text: str) -> set[str]:
    """Return what is filled in, and the marks of a page."""
    return set(_PLACE.findall(text))


@pytest.mark.parametrize("locale", PLURALS)
def test_every_sentence_is_translated(locale: str) -> None:
    catalogue = polib.pofile(str(path_of(locale)))
    known = {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue}
    assert set(known) == {sentence.key for sentence in SENTENCES}, "run make messages"
    for entry in known.values():
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        assert all(text.strip() for text in texts), (locale, entry.msgid)
        assert "fuzzy" not in entry.flags
        wanted = places(entry.msgid) | places(entry.msgid_plural)
        for text in texts:
            # "Once more" needs no figure, and some languages have a word for two.
            assert places(text) <= wanted, (locale, entry.msgid)
            assert entry.msgid_plural or places(text) == wanted, (locale, entry.msgid)


@pytest.mark.parametrize("locale", PLURALS)
def test_compiled_catalogues_agree_with_the_written_ones(locale: str) -> None:
    with path_of(locale, "mo").open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    for entry in polib.pofile(str(path_of(locale))):
        if entry.msgid_plural:
            for number in (0, 1, 2, 3, 11, 100):
                form = compiled.plural(number)  # type: ignore[attr-defined]
                assert compiled.ngettext(entry.msgid, entry.msgid_plural, number) == entry.msgstr_plural[form]
        else:
            assert compiled.gettext(entry.msgid) == entry.msgstr


def test_every_language_that_is_offered_has_a_catalogue() -> None:
    codes = {translation.to_locale(code) for code, _name in settings.LANGUAGES}
    assert codes - {"en"} == set(PLURALS) == {path.name for path in LOCALES.iterdir()}
    assert settings.LANGUAGE_CODE == "en"
    assert not any("LocaleMiddleware" in name for name in settings.MIDDLEWARE), "members' pages are English"


def test_members_read_english_whatever_their_browser_asks_for(cast) -> None:  # type: ignore[no-untyped-def]
    page = cast.client("owner").get(cast.url("settings/"), headers={"Accept-Language": "de"})
    assert 'lang="en"' in page.content.decode()


def test_collecting_finds_sentences_in_code_and_pages_and_keeps_what_was_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "portal").mkdir()
    (tmp_path / "templates" / "portal").mkdir(parents=True)
    (tmp_path / "portal" / "words.py").write_text(
        'from x import gettext as _\n_("One " "line")\nngettext("%(n)d day", "%(n)d days", n)\nother("not this")\n'
    )
    (tmp_path / "templates" / "portal" / "page.html").write_text(
        '{% load i18n %}{% translate "Say “yes”" %}'
        "{% blocktranslate trimmed %}\n  Dear {{ name }}\n{% endblocktranslate %}"
    )
    found = collect(tmp_path)
    assert [(one.msgid, one.plural) for one in found] == [
        ("%(n)d day", "%(n)d days"), ("Dear %(name)s", ""), ("One line", ""), ("Say “yes”", ""),
    ]  # fmt: skip
    monkeypatch.setattr("config.catalogues.LOCALES", tmp_path / "locale")
    assert update("de", found) == 4
    path = tmp_path / "locale" / "de" / "LC_MESSAGES" / "django.po"
    catalogue = polib.pofile(str(path))
    catalogue.find("One line").msgstr = "Eine Zeile"
    catalogue.save()
    written = path.read_bytes()
    assert update("de", found) == 3
    assert path.read_bytes() == written, "what is unchanged is written alike"
    assert update("de", found[:1]) == 1
    assert "Eine Zeile" not in path.read_text(), "a sentence that no page has any more is taken out"
