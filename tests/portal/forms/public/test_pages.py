"""What every public page is: closed or open, in the visitor's language, sealed, small, and harmless to look at."""

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.db.models.functions import Now
from django.test import Client, RequestFactory

from config.access_log import PathOnlyRequestMiddleware
from portal.forms.models import FormPicture, PublicForm, Submission
from portal.forms.public.languages import LANGUAGES
from portal.forms.settling import set_password
from tests.conftest import Cast
from tests.portal.forms.samples import PNG

from .conftest import VirtualPhones, Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def speaking(published: PublicForm) -> PublicForm:
    """The form in every language."""
    published.languages = list(LANGUAGES)
    published.save()
    return published


class TestLanguages:
    """Eight of them, one of which is read from right to left."""

    @pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
    def test_the_page_is_in_the_language_of_the_browser(self, speaking: PublicForm, language: Any) -> None:
        visitor = Visitor(speaking, headers={"Accept-Language": language.tag}).open()
        assert f'<html lang="{language.tag}" dir="{language.direction}">' in visitor.html
        visitor.fill(f1="")
        assert f'<html lang="{language.tag}" dir="{language.direction}">' in visitor.html
        if language.code != "en":
            assert "Fill in this field." not in visitor.text
            assert "Please look" not in visitor.text
            assert ">Continue<" not in visitor.html

    @pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
    def test_so_is_the_page_of_the_code(self, speaking: PublicForm, phones: VirtualPhones, language: Any) -> None:
        visitor = Visitor(speaking).open(f"?lang={language.code}").fill()
        assert visitor.is_asked_for_code
        assert f'lang="{language.tag}"' in visitor.html
        visitor.enter("0")
        assert ("A code has 4 to 10 digits" in visitor.text) is (language.code == "en")
        visitor.enter(phones.code())
        assert Submission.objects.get().language == language.code

    def test_choosing_a_language_keeps_what_was_typed(self, speaking: PublicForm) -> None:
        visitor = Visitor(speaking).open().fill(speak="fr", f1="", f10="Bonjour")
        assert '<html lang="fr"' in visitor.html
        assert "Bonjour</textarea>" in visitor.html
        assert "error" not in visitor.html.replace("form.css", "")
        visitor.press("fill", f1="")
        assert '<html lang="fr"' in visitor.html

    def test_choosing_a_language_on_the_page_of_the_code_sends_nothing(
        self, speaking: PublicForm, phones: VirtualPhones
    ) -> None:
        visitor = Visitor(speaking).open().fill().press("show", speak="ar")
        assert '<html lang="ar" dir="rtl">' in visitor.html
        assert visitor.is_asked_for_code
        assert len(phones.texts()) == 1

    def test_words_of_the_form_are_told_from_words_of_the_page(self, speaking: PublicForm) -> None:
        visitor = Visitor(speaking).open("?lang=ar")
        assert '<h1 dir="auto" lang="en">Delivery slots</h1>' in visitor.html
        assert '<h1 dir="auto">Delivery slots</h1>' in visitor.open("?lang=en").html

    def test_a_form_of_one_language_offers_no_other(self, published: PublicForm) -> None:
        visitor = Visitor(published, headers={"Accept-Language": "de"}).open()
        assert '<html lang="en"' in visitor.html
        assert 'name="speak"' not in visitor.html


class TestOpening:
    """Closed forms, their own words, and the password."""

    def test_what_does_not_exist_is_said_in_the_browsers_language(self, published: PublicForm) -> None:
        PublicForm.objects.update(state="draft")
        for token in (published.token, "nothing-here", "x", "%00%00%00%00%00%00%00%00", "a" * 300):
            answer = Client().get(f"/f/{token}", headers={"Accept-Language": "nl"})
            assert answer.status_code == 404, token
            assert "Hier is geen formulier" in answer.content.decode()
            assert Client().post(f"/f/{token}", {"step": "fill"}).status_code == 404

    def test_a_suspended_organizations_form_is_not_there(self, cast: Cast, published: PublicForm) -> None:
        cast.organization.status = "suspended"
        cast.organization.save()
        assert Client().get(f"/f/{published.token}").status_code == 404

    def test_a_renewed_link_ends_the_former_one(self, published: PublicForm, visitor: Visitor) -> None:
        PublicForm.objects.update(token="another-one-12")
        visitor.fill()
        assert visitor.page is not None
        assert visitor.page.status_code == 404

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"state": "closed"}, "This form is closed."),
            ({"state": "closed", "closed_message": "Back in <May>"}, "Back in <May>"),
            ({"opens_at": Now() + timedelta(days=1)}, "This form opens on"),
            ({"closes_at": Now() - timedelta(minutes=1)}, "This form is closed."),
            ({"limit_total": 0}, "This form has taken all it can."),
        ],
    )
    def test_a_form_that_takes_nothing_says_why(
        self, published: PublicForm, changes: dict[str, Any], sentence: str
    ) -> None:
        PublicForm.objects.update(**changes)
        visitor = Visitor(published).open()
        assert sentence in visitor.text
        assert 'name="f1"' not in visitor.html
        assert "<May>" not in visitor.html
        visitor.press("fill", f1="Ada", state="x")
        assert sentence in visitor.text
        assert not Submission.objects.exists()

    def test_the_password_opens_the_form(self, cast: Cast, plain: PublicForm) -> None:
        set_password(plain, password="sesame open", actor=cast.owner)
        visitor = Visitor(plain).open()
        assert 'name="f1"' not in visitor.html
        visitor.press("unlock", password="sesame")
        assert "This is not the password." in visitor.text
        locked = visitor.hidden
        visitor.press("unlock", password="sesame open")
        assert 'name="f1"' in visitor.html
        opened = visitor.hidden
        assert visitor.press("fill", f1="Ada", **locked).html.count('name="password"') == 1
        assert visitor.press("fill", f1="Ada", **opened).is_done
        set_password(plain, password="another one", actor=cast.owner)
        assert 'name="password"' in visitor.press("fill", f1="Ada", **opened).html

    def test_a_password_is_not_guessed_for_long(self, cast: Cast, plain: PublicForm) -> None:
        set_password(plain, password="sesame open", actor=cast.owner)
        visitor = Visitor(plain).open()
        for _ in range(20):
            visitor.press("unlock", password="guess")
        visitor.press("unlock", password="sesame open")
        assert "Too many tries." in visitor.text
        assert 'name="f1"' not in visitor.html

    def test_the_password_is_asked_in_other_languages_too(self, cast: Cast, speaking: PublicForm) -> None:
        set_password(speaking, password="sesame open", actor=cast.owner)
        visitor = Visitor(speaking).open().press("show", speak="de")
        assert "Formular öffnen" in visitor.text
        assert 'role="alert"' not in visitor.html


class TestSeal:
    """What browsers hold the page to."""

    def policy(self, visitor: Visitor) -> dict[str, str]:
        assert visitor.page is not None
        parts = (part.strip().partition(" ") for part in visitor.page["Content-Security-Policy"].split(";"))
        return {name: value for name, _, value in parts}

    def test_nothing_runs_or_loads_but_ours(self, visitor: Visitor) -> None:
        policy = self.policy(visitor)
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert re.fullmatch(r"'self' 'nonce-[A-Za-z0-9+/=]{20,}'", policy["style-src"])
        assert "unsafe" not in str(policy)
        assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
        assert visitor.page is not None
        assert visitor.page["X-Frame-Options"] == "DENY"
        assert visitor.page["Referrer-Policy"] == "no-referrer"
        assert "noindex" in visitor.page["X-Robots-Tag"]
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', visitor.html), "nothing from other hosts"
        assert not re.search(r"\son\w+=|style=|<script>", visitor.html)

    def test_only_the_forms_own_sites_may_frame_it(self, published: PublicForm) -> None:
        published.embed_origins = ["https://www.acme.example", "http://localhost:8080", "*", "javascript:alert(1)"]
        published.save()
        visitor = Visitor(published).open("?framed=1")
        assert self.policy(visitor)["frame-ancestors"] == "https://www.acme.example http://localhost:8080"
        assert visitor.page is not None
        assert "X-Frame-Options" not in visitor.page
        assert visitor.hidden["framed"] == "1"
        visitor.fill(f1="")
        assert self.policy(visitor)["frame-ancestors"] == "https://www.acme.example http://localhost:8080"
        assert 'class="framed"' in visitor.html

    def test_pages_with_answers_are_not_kept_by_browsers(self, visitor: Visitor) -> None:
        assert visitor.page is not None
        assert visitor.page["Cache-Control"] == "private, no-cache"
        visitor.fill(f1="")
        assert visitor.page["Cache-Control"] == "no-store"

    def test_looking_changes_nothing(self, published: PublicForm, django_assert_num_queries: Any) -> None:
        Visitor(published).open()
        # The form, limits with the countries and for the task, what was asked for of late, pictures.
        with django_assert_num_queries(5):
            Visitor(published).open()

    def test_the_colour_of_the_form_is_set_without_touching_the_policy(self, published: PublicForm) -> None:
        PublicForm.objects.update(color="#aa3300")
        visitor = Visitor(published).open()
        nonce = re.search(r"'nonce-([^']+)'", visitor.page["Content-Security-Policy"])  # type: ignore[index]
        assert nonce is not None
        assert f'<style nonce="{nonce[1]}">:root{{--accent:#aa3300' in visitor.html


class TestBadRequests:
    """Whatever is sent, one reads a page."""

    def test_too_much_is_said_calmly(self, visitor: Visitor) -> None:
        visitor.fill(f10="x" * 1_200_000)
        assert visitor.page is not None
        assert visitor.page.status_code == 413
        assert "More was sent than this form takes." in visitor.text
        visitor.open().press("fill", **{f"g{number}": "1" for number in range(2100)})
        assert visitor.page.status_code == 413

    def test_broken_bodies_are_said_calmly(self, published: PublicForm) -> None:
        answer = Client().post(
            f"/f/{published.token}", b"--x\r\nbroken", content_type="multipart/form-data; boundary=x"
        )
        assert answer.status_code in {200, 413}
        answer = Client().post(f"/f/{published.token}", b"{}", content_type="multipart/form-data")
        assert answer.status_code == 413

    @pytest.mark.parametrize("step", ["", "nothing", "\x00", "fill", "check", "code", "edit", "show", "unlock"])
    def test_senseless_steps_lead_to_a_page(self, published: PublicForm, step: str) -> None:
        senseless = {"state": "%00'\x00", "code": "\x00", "channel": "\x00", "speak": "\x00", "f2-country": "\x00"}
        answer = Client().post(
            f"/f/{published.token}", {**senseless, "step": step, "f1": b"\x00\xed\xa0\x80", "f2": "\x00"}
        )
        assert answer.status_code < 500
        assert "<h1" in answer.content.decode()
        assert not Submission.objects.exists()

    def test_only_looking_and_sending_are_possible(self, published: PublicForm) -> None:
        assert Client().head(f"/f/{published.token}").status_code == 200
        for method in ("put", "delete", "patch"):
            assert getattr(Client(), method)(f"/f/{published.token}").status_code == 405


class TestPictures:
    """Logo and cover."""

    def test_they_are_shown_and_given_out_as_what_they_are(self, published: PublicForm) -> None:
        picture = FormPicture.objects.create(
            form=published, place="logo", content=PNG, content_type="image/png", size=len(PNG)
        )
        visitor = Visitor(published).open()
        address = f"/f/{published.token}/picture/{picture.pk}"
        assert f'<img class="logo" src="{address}" alt="Acme Logistics">' in visitor.html
        answer = Client().get(address)
        assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert Client().get(f"/f/wrong-token-12/picture/{picture.pk}").status_code == 404
        assert Client().get(f"/f/{published.token}/picture/{published.pk}").status_code == 404
        PublicForm.objects.update(state="draft")
        assert Client().get(address).status_code == 404


def test_the_link_of_a_form_is_not_in_the_log(published: PublicForm) -> None:
    request = RequestFactory().get(f"/f/{published.token}?lang=de")
    assert PathOnlyRequestMiddleware.format_request(request) == "GET /f/•••"


def test_the_first_load_is_small(speaking: PublicForm) -> None:
    visitor = Visitor(speaking, headers={"Accept-Language": "ar"}).open()
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', visitor.html)
    assert {name.rpartition(".")[2] for name in files} == {"css", "js", "svg"}
    sizes = {"page": len(gzip.compress(visitor.html.encode()))}
    for name in files:
        path = finders.find(name)
        assert isinstance(path, str)
        with open(path, "rb") as stream:
            sizes[name] = len(gzip.compress(stream.read()))
    assert sum(sizes.values()) < 60_000, sizes
    assert sum(sizes.values()) < 25_000, "a form of ten questions is far below what is allowed"
    assert django_settings.STATIC_URL == "/static/", "from our own host"
