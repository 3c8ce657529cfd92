"""The SMS of a portal: ours in every language, an organization's own, and what these may say."""

import re
from typing import Any

import pytest

from integrations.organizations.models import AuditEntry
from messaging.templates.rendering import MissingVariables, parse
from messaging.templates.segments import GSM_7, measure
from portal.accounts.models import Portal, PortalText
from portal.accounts.texts import (
    ABOUT_VARIABLES,
    VARIABLES,
    TextRefused,
    body_of,
    check_body,
    ours,
    take_ours,
    words,
    write_text,
)
from portal.forms.public.languages import LANGUAGES
from tests.conftest import Cast

KINDS = list(PortalText.Kind)
LINK = "https://portal.example.com/i/abcdefghijklmnopqrstuv"
USUAL = {"portal": "Driver portal", "organization": "Acme Logistics", "link": LINK, "text": "Gate 4 is closed today."}
LATIN = ("en", "nl", "de", "es", "fr")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_our_words_can_be_kept_and_say_what_they_must(kind: str, language: str) -> None:
    body = ours(kind, language)
    assert check_body(kind, body) == body
    assert {variable.name for variable in parse(body).variables} <= set(VARIABLES[kind]) <= set(ABOUT_VARIABLES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LATIN)
def test_our_latin_words_cost_what_they_must(kind: str, language: str) -> None:
    filled = ours(kind, language)
    for name, value in USUAL.items():
        filled = filled.replace(f"{{{{ {name} }}}}", value)
    filled = filled.split("{{")[0]
    found = measure(filled)
    assert found.encoding == GSM_7, found.forcing
    assert found.segments <= 2


@pytest.mark.django_db
def test_text_is_filled_in(portal: Portal, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://sms.example.com"
    at = "https://sms.example.com/p/driver-portal/"
    assert words(portal, "approved", "en") == (
        f"Acme Logistics approved your registration for Driver portal. Log in here: {at}"
    )
    assert words(portal, "notification", "de", {"text": "Tor 4 ist zu."}) == "Driver portal: Tor 4 ist zu."
    rejected = words(portal, "rejected", "en")
    assert rejected == "Acme Logistics did not approve your registration for Driver portal."
    assert words(portal, "rejected", "en", {"reason": "We know no such driver."}).endswith("We know no such driver.")
    assert "another device" in words(portal, "new_login", "en")
    assert LINK in words(portal, "invitation", "ar", {"link": LINK})


@pytest.mark.django_db
def test_invitation_needs_a_link_of_its_own(portal: Portal) -> None:
    with pytest.raises(MissingVariables):
        words(portal, "invitation", "en")


@pytest.mark.django_db
def test_own_words_go_before_ours(portal: Portal, cast: Cast) -> None:
    def write(language: str, body: str) -> bool:
        return write_text(portal, kind="approved", language=language, body=body, actor=cast.owner)

    portal.form.languages = ["de", "en"]
    assert body_of(portal, "approved", "fr") == ours("approved", "fr")
    assert body_of(portal, "approved", "xx") == ours("approved", "de")
    assert write("de", "Willkommen bei {{ portal }}!")
    assert not write("de", "Willkommen bei {{ portal }}! ")
    assert body_of(portal, "approved", "de") == "Willkommen bei {{ portal }}!"
    assert body_of(portal, "approved", "fr") == "Willkommen bei {{ portal }}!"
    assert write("fr", "Bienvenue !")
    assert body_of(portal, "approved", "fr") == "Bienvenue !"
    assert write("fr", ours("approved", "fr")), "our words written out are ours"
    assert not portal.texts.filter(language="fr").exists()
    assert take_ours(portal, kind="approved", language="de", actor=cast.owner)
    assert not take_ours(portal, kind="approved", language="de", actor=cast.owner)
    assert body_of(portal, "approved", "de") == ours("approved", "de")
    told = AuditEntry.objects.filter(action__startswith="portal.text").values_list("action", flat=True)
    assert sorted(told) == ["portal.text_changed"] * 2 + ["portal.text_reset"] * 2


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("approved", " \n", "Write a text"),
        ("approved", "x" * 1601, "1,601"),
        ("approved", "Hello {{ name", "not closed"),
        ("approved", "Hello {{ name }}", '{{ name | "there" }}'),
        ("approved", "Your code is {{ code }}", "not known here"),
        ("approved", "It was {{ reason }}", "not known here"),
        ("invitation", "Come to {{ portal }}", "{{ link }}"),
        ("notification", "News of {{ portal }}", "{{ text }}"),
    ],
)
def test_text_that_could_not_be_sent_is_refused(kind: str, body: str, says: str) -> None:
    with pytest.raises(TextRefused, match=re.escape(says)):
        check_body(kind, body)
