"""Every code of Twilio Verify has a sentence for the visitor, and another one for the admin."""

import pytest
from django.utils import translation

from integrations.twilio.error_table import ERRORS
from integrations.twilio.error_words import verify
from messaging.verification import sentences
from messaging.verification.reasons import admin_words
from messaging.verification.sentences import OWN, TWILIO, visitor_sentence
from messaging.verification.texts import code_text, own_language, twilio_locale

# What Twilio lists of Verify: https://www.twilio.com/docs/api/errors, 60200 to 60605.
LISTED = {
    60200, 60201, 60202, 60203, 60204, 60205, 60207, 60212, 60217, 60220, 60221, 60222, 60223, 60226, 60228,
    60238, 60242, 60245, 60410, 60412, 60413, 60605,
}  # fmt: skip
SENTENCES = {**{str(code): text for code, text in TWILIO.items()}, **OWN}


@pytest.mark.parametrize("code", [entry.code for entry in verify.ENTRIES])
def test_each_verify_error_is_told_to_both_in_their_own_words(code: int) -> None:
    assert code in TWILIO
    told, admin = visitor_sentence(code=code), admin_words(code=code)
    assert admin.meaning and admin.remedy
    assert told != admin.sentence
    assert str(code) not in told and "Twilio" not in told and "Console" not in told


def test_no_verify_code_of_twilios_list_is_missing() -> None:
    assert set(TWILIO) >= LISTED
    assert set(ERRORS) >= LISTED


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
