"""Which language a visitor reads."""

import pytest
from django.conf import settings

from portal.forms.public.languages import LANGUAGES, choose, offered_by

ALL = list(LANGUAGES.values())


def test_the_languages_are_those_of_the_installation() -> None:
    assert list(settings.LANGUAGES) == [(language.code, language.name) for language in ALL]
    assert LANGUAGES["ar"].direction == "rtl"
    assert {language.direction for language in ALL if language.code != "ar"} == {"ltr"}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "en"), ("de-AT,de;q=0.9,en;q=0.8", "de"), ("pt-BR,fr;q=0.5", "fr"), ("nl-BE", "nl"), ("ja", "en"),
        ("zh-CN,zh;q=0.9", "zh-hans"), ("zh", "zh-hans"), ("zh-SG", "zh-hans"), ("zh-TW", "zh-hant"),
        ("zh-HK", "zh-hant"), ("zh-Hant-MO", "zh-hant"), ("zh-Hans-HK", "zh-hans"), ("ar-EG", "ar"), ("es-419", "es"),
        ("de;q=0,fr", "fr"), ("*", "en"), ("\x00;;q=q,,", "en"), ("x" * 5000, "en"),
    ],
)  # fmt: skip
def test_the_browser_is_asked(accept: str, expected: str) -> None:
    assert choose(ALL, accept=accept).code == expected


def test_what_was_chosen_on_the_page_counts_more() -> None:
    assert choose(ALL, wanted="fr", accept="de").code == "fr"
    assert choose(ALL, wanted="ZH-Hant", accept="de").code == "zh-hant"
    assert choose(ALL, wanted="tlh", accept="de").code == "de"


def test_a_form_speaks_its_own_languages_only() -> None:
    offered = offered_by(["nl", "zh-hans"])
    assert choose(offered, accept="de").code == "nl"
    assert choose(offered, wanted="de", accept="").code == "nl"
    assert choose(offered, accept="zh-TW").code == "zh-hans", "the other script is nearer than another language"


@pytest.mark.parametrize("codes", [[], ["tlh"], None, "en", [None, 3]])
def test_a_form_without_a_language_of_ours_speaks_english(codes: object) -> None:
    assert [language.code for language in offered_by(codes)] == ["en"]
