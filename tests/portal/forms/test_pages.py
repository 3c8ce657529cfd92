"""Members' pages of forms: building with and without scripts, settling, sharing; roles and other tenants."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from integrations.organizations.models import AuditEntry
from messaging.templates.wording import create_template
from portal.forms import building
from portal.forms.definition import read
from portal.forms.models import FormPicture, PublicForm
from portal.forms.opening import opens_with
from tests.conftest import Cast
from tests.portal.forms.samples import HTML, PNG

pytestmark = pytest.mark.django_db

EDITORS, READERS = ("owner", "admin"), ("owner", "admin", "agent")


def fields_of(form: PublicForm) -> list[str]:
    return [field.key for field in read(PublicForm.objects.get(pk=form.pk).definition).fields]


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client("owner")


@pytest.fixture
def at(cast: Cast, form: PublicForm) -> Any:
    return lambda path="": cast.url(f"forms/{form.pk}/{path}")


def test_who_may_build_and_who_may_read(cast: Cast, form: PublicForm, at: Any) -> None:
    for who in ("owner", "admin", "agent", "viewer"):
        mine = cast.client(who)
        assert mine.get(cast.url("forms/")).status_code == 200
        assert mine.get(at()).status_code == 200
        for page in ("build/", "look/", "rules/", "preview/", "delete/"):
            assert mine.get(at(page)).status_code == (200 if who in EDITORS else 403), (who, page)
        assert mine.get(at("submissions/")).status_code == (200 if who in READERS else 403), who
        assert mine.post(at("publish/")).status_code == (302 if who in EDITORS else 403), who
    assert cast.client("stranger").get(at()).status_code == 404
    assert cast.client("stranger").get(cast.url(f"forms/{form.pk}/", cast.other)).status_code == 404
    assert cast.client(None).get(at()).status_code == 302


def test_form_is_begun_and_listed(cast: Cast, client: Client) -> None:
    assert "Build the first form" in client.get(cast.url("forms/")).text
    assert client.post(cast.url("forms/new/"), {"title": " "}).status_code == 422
    answer = client.post(cast.url("forms/new/"), {"title": "Driver check-in"})
    form = PublicForm.objects.get()
    assert answer["Location"] == cast.url(f"forms/{form.pk}/build/")
    assert form.created_by == cast.owner
    text = client.get(cast.url("forms/")).text
    assert "Driver check-in" in text
    assert "Draft" in text
    assert "No form fits" in client.get(cast.url("forms/"), {"q": "nothing"}).text


def test_list_asks_the_database_equally_often_for_few_and_many(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        building.create_form(cast.organization, title=f"Form {number}", actor=cast.owner)
    with django_assert_max_num_queries(14):
        client.get(cast.url("forms/"))


def test_questions_are_built_without_scripts(form: PublicForm, client: Client, at: Any) -> None:
    answer = client.post(at("build/add/"), {"kind": "email"})
    assert answer["Location"].endswith("build/?open=f3#field-f3")
    assert client.post(at("build/f3/"), {"f3-label": "Where to write", "f3-required": "on"}).status_code == 302
    client.post(at("build/f3/move/"), {"to": "up"})
    assert fields_of(form) == ["f1", "f3", "f2"]
    client.post(at("build/step/"), {"step": PublicForm.objects.get(pk=form.pk).step, "to": "back"})
    assert fields_of(form) == ["f1", "f2", "f3"]
    client.post(at("build/step/"), {"step": PublicForm.objects.get(pk=form.pk).step, "to": "forward"})
    client.post(at("build/f3/copy/"))
    client.post(at("build/f1/remove/"))
    assert fields_of(form) == ["f3", "f4", "f2"]
    page = client.get(at("build/")).text
    assert "Where to write" in page
    assert read(PublicForm.objects.get(pk=form.pk).definition).find("f3").required  # type: ignore[union-attr]


def test_change_of_a_question_comes_back_beside_its_own_inputs(form: PublicForm, client: Client, at: Any) -> None:
    headers = {"HX-Request": "true"}
    answer = client.post(at("build/f1/"), {"f1-label": "Full name", "f1-saves_as": "name"}, headers=headers)
    assert 'id="head-f1" hx-swap-oob="true"' in answer.text
    assert "Full name" in answer.text
    assert "<form" not in answer.text.replace('<form method="post" action="/o/acme/forms', "")
    assert 'name="f1-label"' not in answer.text, "nothing is put in the way of who is typing"
    wrong = client.post(at("build/f1/"), {"f1-label": "x", "f1-max": "9999"}, headers=headers).text
    assert re.search(r'id="id_f1-max_problem"[^>]*>Write a whole number', wrong)
    gone = client.post(at("build/f9/"), {"f9-label": "x"}, headers=headers)
    assert gone["HX-Retarget"] == "#builder"
    assert "deleted it meanwhile" in gone.text


def test_order_is_taken_from_who_dragged_and_nothing_else(form: PublicForm, client: Client, at: Any) -> None:
    headers = {"HX-Request": "true"}
    client.post(at("build/order/"), {"keys": "f2,f1"}, headers=headers)
    assert fields_of(form) == ["f2", "f1"]
    for keys in ("", "f1", "f1,f2,f3", "f1,f1", "x" * 5000):
        assert "meanwhile" in client.post(at("build/order/"), {"keys": keys}, headers=headers).text
    assert fields_of(form) == ["f2", "f1"]


@pytest.mark.parametrize(
    "posted",
    [
        {"f1-label": "x" * 500},
        {"f1-label": "x", "f1-max": "1e99"},
        {"f1-label": "x", "f1-max": "-1"},
        {"f1-label": "x", "f1-saves_as": "attr.__proto__"},
        {"f2-label": "x", "f1-verify": "on", "key": "f7", "kind": "file", "wording": "x"},
    ],
)
def test_tampered_question_changes_nothing_that_it_may_not(
    form: PublicForm, client: Client, at: Any, posted: dict[str, str]
) -> None:
    before = read(form.definition).find("f1")
    assert client.post(at("build/f1/"), posted).status_code in {302, 422}
    after = read(PublicForm.objects.get(pk=form.pk).definition).find("f1")
    assert before is not None
    assert after is not None
    assert (after.kind, after.max, after.verify, after.wording) == (before.kind, before.max, False, "")


def test_unknown_kind_is_refused_in_words(form: PublicForm, client: Client, at: Any) -> None:
    answer = client.post(at("build/add/"), {"kind": "script"}, follow=True)
    assert "no such kind" in answer.text
    assert fields_of(form) == ["f1", "f2"]


def test_form_that_is_not_ready_says_so_and_where(form: PublicForm, client: Client, at: Any) -> None:
    client.post(at("build/add/"), {"kind": "consent"})
    page = client.post(at("publish/"), follow=True).text
    assert "not ready" in page
    assert "the ledger keeps these very words" in page
    client.post(at("build/f3/"), {"f3-label": "News", "f3-wording": "Write to me.", "f3-purpose": "marketing"})
    answer = client.post(at("publish/"), follow=True)
    assert "Visitors get version 1" in answer.text
    assert PublicForm.objects.get(pk=form.pk).state == "open"


def test_overview_has_link_code_and_snippet(form: PublicForm, client: Client, at: Any, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://sms.example.com"
    page = client.get(at()).text
    assert f"https://sms.example.com/f/{form.token}" in page
    assert "<svg" in page
    assert "&lt;iframe src=" in page
    file = client.get(at("qr.svg"))
    assert file["Content-Type"] == "image/svg+xml"
    assert file.content.startswith(b"<?xml")
    assert b"<script" not in file.content


def test_form_is_closed_opened_relinked_copied_and_deleted(form: PublicForm, client: Client, at: Any) -> None:
    client.post(at("publish/"))
    client.post(at("close/"), {"message": "Come back in May."})
    closed = PublicForm.objects.get(pk=form.pk)
    assert (closed.state, closed.closed_message) == ("closed", "Come back in May.")
    assert "was not open" in client.post(at("close/"), {"message": ""}, follow=True).text
    client.post(at("open/"))
    assert PublicForm.objects.get(pk=form.pk).state == "open"
    client.post(at("link/"))
    assert PublicForm.objects.get(pk=form.pk).token != form.token
    client.post(at("copy/"))
    assert PublicForm.objects.filter(title="Delivery slots (copy)").exists()
    assert "0 submissions" in client.get(at("delete/")).text
    assert client.post(at("delete/")).status_code == 302
    assert not PublicForm.objects.filter(pk=form.pk).exists()
    assert client.get(at()).status_code == 404


LOOK = {
    "title": "Delivery slots", "description": "Choose when we may come.", "languages": ["de", "ar"], "written_in": "nl",
    "color": "#AA0000", "thank_you": "See you!", "redirect_url": "https://www.example.com/thanks",
    "updates_contact": "on", "confirmation_template": "",
}  # fmt: skip


def test_words_and_looks_are_changed(form: PublicForm, client: Client, at: Any) -> None:
    assert client.post(at("look/"), LOOK).status_code == 302
    saved = PublicForm.objects.get(pk=form.pk)
    assert (saved.languages, saved.color, saved.redirect_url) == (
        ["nl", "de", "ar"], "#aa0000", "https://www.example.com/thanks",
    )  # fmt: skip
    assert AuditEntry.objects.filter(action="form.changed").count() == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", ""),
        ("languages", []),
        ("languages", ["xx"]),
        ("color", "red"),
        ("color", "#fff; } body { display: none"),
        ("redirect_url", "http://example.com"),
        ("redirect_url", "javascript:alert(1)"),
        ("redirect_url", "https://user@example.com"),
        ("redirect_url", "https://exam\nple.com"),
        ("redirect_url", "//example.com"),
        ("confirmation_template", "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_look_that_cannot_be_taken_is_told_at_its_field(
    form: PublicForm, client: Client, at: Any, name: str, value: Any
) -> None:
    answer = client.post(at("look/"), {**LOOK, name: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert PublicForm.objects.get(pk=form.pk).color == form.color


def test_template_of_another_organization_confirms_nothing(client: Client, at: Any, cast: Cast) -> None:
    theirs = create_template(cast.other, name="Theirs", body="Hi", actor=cast.stranger)
    assert client.post(at("look/"), {**LOOK, "confirmation_template": theirs.pk}).status_code == 422


RULES = {
    "opens_at": "2027-01-01T08:00", "closes_at": "2027-02-01T08:00", "limit_total": "100", "limit_per_number": "1",
    "closed_message": "Over.", "embed_origins": "https://www.example.com/page", "password": "", "no_password": "",
}  # fmt: skip


def test_rules_are_in_the_organizations_time_and_the_password_is_never_shown(
    form: PublicForm, client: Client, at: Any
) -> None:
    assert client.post(at("rules/"), {**RULES, "password": "harbour"}).status_code == 302
    saved = PublicForm.objects.get(pk=form.pk)
    assert saved.opens_at is not None
    assert saved.opens_at.isoformat() == "2027-01-01T07:00:00+00:00"
    assert saved.embed_origins == ["https://www.example.com"]
    assert opens_with(saved, "harbour")
    page = client.get(at("rules/")).text
    assert "2027-01-01T08:00" in page
    assert "harbour" not in page
    assert saved.password not in page
    assert opens_with(PublicForm.objects.get(pk=form.pk), "harbour")
    client.post(at("rules/"), {**RULES, "no_password": "on"})
    assert not PublicForm.objects.get(pk=form.pk).has_password


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("closes_at", "2026-01-01T08:00"),
        ("opens_at", "tomorrow"),
        ("limit_total", "0"),
        ("limit_per_number", "-1"),
        ("embed_origins", "*"),
        ("password", "abc"),
        ("no_password", "on"),
    ],
)
def test_rule_that_cannot_be_taken_is_told_at_its_field(
    form: PublicForm, client: Client, at: Any, name: str, value: str
) -> None:
    password = "harbour" if name == "no_password" else ""
    assert client.post(at("rules/"), {**RULES, "password": password, name: value}).status_code == 422
    assert PublicForm.objects.get(pk=form.pk).limit_total is None


def test_picture_is_taken_shown_and_taken_away(form: PublicForm, client: Client, at: Any, cast: Cast) -> None:
    client.post(at("look/logo/"), {"file": SimpleUploadedFile("logo.png", PNG)})
    picture = FormPicture.objects.get()
    shown = client.get(at(f"pictures/{picture.pk}/"))
    assert (shown["Content-Type"], shown.content) == ("image/png", PNG)
    assert client.get(at("look/")).text.count("hg-form-picture") == 1
    disguised = client.post(at("look/logo/"), {"file": SimpleUploadedFile("logo.png", HTML)}, follow=True)
    assert "no picture" in disguised.text
    too_much = SimpleUploadedFile("logo.png", PNG + b"\x00" * 300_000)
    large = client.post(at("look/logo/"), {"file": too_much}, follow=True)
    assert "larger than 30 KB. Visitors load it first" in large.text
    assert FormPicture.objects.get() == picture
    assert "Choose a picture first" in client.post(at("look/logo/"), follow=True).text
    assert client.post(at("look/elsewhere/")).status_code == 404
    assert cast.client("agent").post(at("look/logo/"), {"file": SimpleUploadedFile("a.png", PNG)}).status_code == 403
    client.post(at("look/logo/"), {"do": "remove"})
    assert not FormPicture.objects.exists()


def test_forged_request_takes_no_picture(form: PublicForm, cast: Cast, at: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.owner)
    assert strict.post(at("look/logo/"), {"file": SimpleUploadedFile("logo.png", PNG)}).status_code == 403
    assert not FormPicture.objects.exists()


def test_preview_is_the_visitors_page_and_keeps_nothing(form: PublicForm, client: Client, at: Any) -> None:
    page = client.get(at("preview/"))
    assert "Phone number" in page.text
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in page["Content-Security-Policy"]
    tried = client.post(at("preview/"), {"f1": "", "f2": "12"})
    assert tried.status_code == 200
    assert "too short" in tried.text
    assert not form.drafts.exists()
