"""Every code of Twilio Verify has a sentence for the visitor, and another one for the admin."""

import json
import re
from pathlib import Path

import pytest
from django.utils import translation

from integrations.twilio.error_table import ERRORS
from integrations.twilio.error_words import verify
from messaging.verification import sentences
from messaging.verification.reasons import admin_words
from messaging.verification.sentences import OWN, TWILIO, visitor_sentence
from messaging.verification.texts import code_text, own_language, twilio_locale

CODES = Path(__file__).parents[4] / "shared" / "twilio" / "error-codes.json"
SENTENCES = {**{str(code): text for code, text in TWILIO.items()}, **OWN}


@pytest.mark.parametrize("code", [entry.code for entry in verify.ENTRIES])
def test_each_verify_error_is_told_to_both_in_their_own_words(code: int) -> None:
    assert code in TWILIO
    told, admin = visitor_sentence(code=code), admin_words(code=code)
    assert admin.meaning and admin.remedy
    assert told != admin.sentence
    assert str(code) not in told and "Twilio" not in told and "Console" not in told


@pytest.mark.skipif(not CODES.exists(), reason="the list of Twilio's codes is not here")
def test_no_verify_code_of_the_list_is_missing() -> None:
    listed = {int(code) for code in re.findall(r'"(60\d{3})"', CODES.read_text())}
    listed |= {int(one["code"]) for one in _entries() if 60000 <= int(one["code"]) < 61000}
    assert listed
    assert listed <= set(TWILIO) & set(ERRORS)


def _entries() -> list[dict[str, object]]:
    data = json.loads(CODES.read_text())
    found = [value for value in data.values() if isinstance(value, list)]
    return [one for value in found for one in value if isinstance(one, dict) and "code" in one]


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_a_sentence_is_calm_and_says_what_next(name: str) -> None:
    text = SENTENCES[name]
    assert text[0].isupper() and text.endswith(".")
    assert "!" not in text and "error" not in text.lower() and len(text) < 160


def test_what_is_not_known_is_told_too() -> None:
    assert visitor_sentence(code=12345) == sentences.NOT_NOW
    assert visitor_sentence(reason="something_new") == sentences.NOT_NOW
    assert admin_words(code=69999).remedy


@pytest.mark.parametrize(
    ("language", "locale"),
    [("de", "de"), ("de-AT", "de"), ("zh-Hans", "zh-CN"), ("zh_Hant", "zh-HK"), ("zh-TW", "zh-HK"), ("pt-BR", "pt-BR"),
     ("en-gb", "en-GB"), ("", ""), ("tlh", ""), ("ar", "ar")],
)  # fmt: skip
def test_the_language_of_the_visitor_in_twilios_words(language: str, locale: str) -> None:
    assert twilio_locale(language) == locale


def test_own_language_is_one_that_is_there() -> None:
    assert own_language("de-AT") == "de"
    assert own_language("zh-TW") == "zh-hant"
    assert own_language("tlh") == "en"
    assert own_language("") == "en"


def test_the_text_names_the_organization_and_the_life_of_the_code() -> None:
    text = code_text("482913", name="Acme", language="en", is_platform=False)
    assert text == "482913 is your code for Acme. It works for 10 minutes. Share it with nobody."
    assert translation.get_language() == "en"


def test_platform_texts_end_with_the_line_for_autofill(settings: object) -> None:
    settings.PUBLIC_BASE_URL = "https://forms.acme.example:8443"  # type: ignore[attr-defined]
    text = code_text("482913", name="Acme", language="en", is_platform=True)
    assert text.splitlines()[-1] == "@forms.acme.example #482913"
