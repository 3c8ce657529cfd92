"""Members' pages of setting up a portal: roles and other tenants, and every change by its button."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from integrations.connections.sandbox import connect_sandbox
from integrations.organizations.audit_sentences import line_of
from integrations.organizations.models import AuditEntry
from messaging.verification.limit_models import VerificationPolicy
from portal.accounts import setting_up, texts
from portal.accounts.models import Portal, PortalUser
from portal.forms.building import create_form, publish
from portal.forms.definition import read
from portal.forms.models import FormPicture, PublicForm
from tests.conftest import Cast
from tests.portal.forms.samples import PNG

pytestmark = pytest.mark.django_db

EDITORS, LOOKERS = ("owner", "admin"), ("owner", "admin", "agent")
RULES = {
    "name": "Driver portal",
    "slug": "driver-portal",
    "admission": "approval",
    "invitation_days": "14",
    "session_days": "30",
    "offers_passkeys": "on",
    "tells_new_logins": "on",
}


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client("owner")


@pytest.fixture
def at(cast: Cast, portal: Portal) -> Any:
    return lambda path="": cast.url(f"portals/{portal.pk}/{path}")


@pytest.fixture
def at_form(cast: Cast, portal: Portal) -> Any:
    return lambda path="": cast.url(f"portals/form/{portal.form_id}/{path}")


def now(portal: Portal) -> Portal:
    return Portal.objects.select_related("form", "terms").get(pk=portal.pk)


def test_who_may_set_up_and_who_may_look(cast: Cast, portal: Portal, at: Any, at_form: Any) -> None:
    for who in ("owner", "admin", "agent", "viewer"):
        mine = cast.client(who)
        for page in (cast.url("portals/"), at(), at("qr.svg")):
            assert mine.get(page).status_code == (200 if who in LOOKERS else 403), (who, page)
        for page in (
            cast.url("portals/new/"), at("texts/"), at("texts/approved/en/"), at("terms/"), at("rules/"), at("delete/"),
            at_form("build/"), at_form("look/"), at_form("preview/"),
        ):  # fmt: skip
            assert mine.get(page).status_code == (200 if who in EDITORS else 403), (who, page)
        assert mine.post(at("switch/"), {"to": "on"}).status_code == (302 if who in EDITORS else 403), who
    sidebar = cast.client("viewer").get(cast.url("")).text
    assert cast.url("portals/") not in sidebar
    for who, there in (("stranger", cast.organization), ("stranger", cast.other)):
        for page in (f"portals/{portal.pk}/", f"portals/{portal.pk}/rules/", f"portals/form/{portal.form_id}/build/"):
            assert cast.client(who).get(cast.url(page, there)).status_code == 404, page
    assert cast.client(None).get(at()).status_code == 302


def test_portal_is_made_and_listed(cast: Cast, client: Client) -> None:
    assert "Make the first portal" in client.get(cast.url("portals/")).text
    assert "an owner or admin makes" in cast.client("agent").get(cast.url("portals/")).text
    assert client.post(cast.url("portals/new/"), {"name": " "}).status_code == 422
    wrong = client.post(cast.url("portals/new/"), {"name": "Suppliers", "slug": "no way"})
    assert "small letters" in wrong.text
    assert 'value="no way"' in wrong.text
    answer = client.post(cast.url("portals/new/"), {"name": "Suppliers", "slug": ""})
    portal = Portal.objects.get()
    assert answer["Location"] == cast.url(f"portals/{portal.pk}/")
    text = client.get(cast.url("portals/")).text
    assert "/p/suppliers/" in text
    assert "New portal" in text


def test_list_asks_the_database_equally_often_for_few_and_many(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        setting_up.create_portal(cast.organization, name=f"Portal {number}", actor=cast.owner)
    with django_assert_max_num_queries(13):
        client.get(cast.url("portals/"))


def test_where_codes_go_is_said_with_the_way_to_change_it(cast: Cast, portal: Portal, client: Client, at: Any) -> None:
    for page in ("", "rules/"):
        text = client.get(at(page)).text
        assert "Codes go to numbers of <strong>Germany</strong>." in text
        assert f'href="{cast.url("settings/verification-limits/")}"' in text
    VerificationPolicy.objects.create(organization=cast.organization, regions=["NL", "FR"])
    assert "<strong>France, Germany, Netherlands</strong>" in client.get(at("rules/")).text
    assert "Codes go to" not in cast.client("agent").get(at()).text, "who may not change it is not sent there"


def test_overview_counts_people_and_switches(cast: Cast, portal: Portal, client: Client, at: Any) -> None:
    text = client.get(at()).text
    assert "The portal is switched off" in text
    assert "Delete the portal" in text
    assert "<svg" in text
    assert "The portal is on." in client.post(at("switch/"), {"to": "on"}, follow=True).text
    assert "was on already" in client.post(at("switch/"), {"to": "on"}, follow=True).text
    for number, status in enumerate(("active", "active", "waiting")):
        PortalUser.objects.create(portal=portal, phone=f"+491511234567{number}", status=status)
    text = client.get(at()).text
    assert "Switch off for 2 active people" in text
    assert f'{at("people/")}?status=active" aria-label="Active: 2"' in text
    assert f'{at("approvals/")}" aria-label="Waiting for approval: 1"' in text
    assert "No Twilio account is connected" in text
    connect_sandbox(cast.organization, actor=cast.owner, make_default=True, with_check=False)
    assert "No Twilio account is connected" not in client.get(at()).text
    assert "Delete the portal" not in text
    assert "The portal is off." in client.post(at("switch/"), {"to": "off"}, follow=True).text
    assert "is not deleted" in client.get(at("delete/")).text
    client.post(at("delete/"))
    assert Portal.objects.filter(pk=portal.pk).exists()
    PortalUser.objects.all().delete()
    assert "is deleted" in client.post(at("delete/"), follow=True).text


def test_qr_code_is_a_file_to_print(client: Client, at: Any) -> None:
    answer = client.get(at("qr.svg"))
    assert answer["Content-Type"] == "image/svg+xml"
    assert "portal-driver-portal.svg" in answer["Content-Disposition"]


def test_rules_are_saved_and_what_is_wrong_stands_at_its_field(portal: Portal, client: Client, at: Any) -> None:
    answer = client.post(
        at("rules/"),
        {**RULES, "name": "Drivers", "slug": "drivers", "admission": "invitation", "reminder_days": "3",
         "may_apply_again": "on", "offers_password": "on", "session_days": "7"},
    )  # fmt: skip
    assert answer.status_code == 302
    saved = now(portal)
    assert (saved.name, saved.slug, saved.admission, saved.reminder_days) == ("Drivers", "drivers", "invitation", 3)
    assert (saved.may_apply_again, saved.offers_password, saved.offers_passkeys, saved.session_days) == (
        True, True, True, 7)  # fmt: skip
    assert saved.form.title == "Drivers"
    for wrong, says in (
        ({"reminder_days": "14"}, "remind earlier"),
        ({"session_days": "0"}, "greater than or equal to 1"),
        ({"session_days": ""}, "from 1 to 365"),
        ({"invitation_days": "91"}, "less than or equal to 90"),
        ({"slug": "x"}, "small letters"),
        ({"name": ""}, "required"),
        ({"admission": "all"}, "not one of the available choices"),
    ):
        answer = client.post(at("rules/"), {**RULES, "name": "Typed name", **wrong})
        assert answer.status_code == 422, wrong
        assert says in answer.text, wrong
        assert now(portal).name == "Drivers"
        assert "<h1>Drivers</h1>" in re.sub(r"\s*(<|>)\s*", r"\1", answer.text), "what was typed is not the title yet"


def test_taken_address_stands_at_its_field(cast: Cast, portal: Portal, client: Client, at: Any) -> None:
    setting_up.create_portal(cast.other, name="Theirs", actor=cast.stranger)
    answer = client.post(at("rules/"), {**RULES, "slug": "theirs"})
    assert answer.status_code == 422
    assert "is taken" in answer.text


def test_roles_are_added_renamed_given_and_removed(portal: Portal, client: Client, at: Any) -> None:
    assert "is there" in client.post(at("roles/add/"), {"name": "Drivers"}, follow=True).text
    assert "already" in client.post(at("roles/add/"), {"name": "drivers"}, follow=True).text
    role = portal.roles.get()
    PortalUser.objects.create(portal=portal, phone="+4915112345678", status="active", role=role)

    def do(what: str, name: str = "Drivers") -> str:
        return client.post(at(f"roles/{role.pk}/"), {"do": what, "name": name}, follow=True).text

    assert "is called “Couriers” now" in do("rename", "Couriers")
    assert "from now on is “Couriers”" in do("default", "Couriers")
    assert portal.roles.get().is_default
    assert "has no role" in do("no_default", "Couriers")
    assert "1 person has it" in client.get(at("rules/")).text
    assert "people stay, without a role" in do("remove")
    assert not portal.roles.exists()
    assert client.post(at(f"roles/{role.pk}/"), {"do": "remove"}).status_code == 404


def test_role_of_another_portal_is_not_found(cast: Cast, client: Client, at: Any) -> None:
    theirs = setting_up.create_portal(cast.other, name="Theirs", actor=cast.stranger)
    role = setting_up.add_role(theirs, name="Guests", actor=cast.stranger)
    assert client.post(at(f"roles/{role.pk}/"), {"do": "remove"}).status_code == 404


def test_look_is_that_of_the_form(portal: Portal, client: Client, at_form: Any) -> None:
    shown = client.get(at_form("look/")).text
    assert "before they enter their number" in shown
    assert "Thank-you text" not in shown
    answer = client.post(
        at_form("look/"),
        {"description": "Hello drivers", "languages": ["en", "de"], "written_in": "de", "color": "#AA3300"},
    )
    assert answer["Location"] == at_form("look/")
    form = now(portal).form
    assert (form.description, form.languages, form.color) == ("Hello drivers", ["de", "en"], "#aa3300")
    assert client.post(at_form("look/"), {"written_in": "de", "color": "red"}).status_code == 422
    picture = SimpleUploadedFile("logo.png", PNG, content_type="image/png")
    assert client.post(at_form("look/logo/"), {"file": picture})["Location"] == at_form("look/")
    shown = client.get(at_form("look/")).text
    assert at_form(f"pictures/{FormPicture.objects.get().pk}/") in shown


def test_questions_are_built_inside_the_portal(cast: Cast, portal: Portal, client: Client, at_form: Any) -> None:
    shown = client.get(at_form("build/")).text
    assert 'aria-label="Pages of the portal"' in shown
    assert cast.url(f"forms/{portal.form_id}/") not in shown, "every link stays in the portal"
    assert "confirmation SMS" not in shown
    answer = client.post(at_form("build/add/"), {"kind": "phone"})
    assert answer["Location"].startswith(at_form("build/"))
    assert "Verify by code" not in client.get(answer["Location"]).text, "the portal proves the number itself"
    client.post(at_form("build/f2/"), {"f2-label": "Emergency number", "f2-verify": "on"})
    field = read(now(portal).form.definition).find("f2")
    assert field is not None
    assert (field.label, field.verify) == ("Emergency number", False)
    assert "changes that are not published" in client.get(cast.url(f"portals/{portal.pk}/")).text
    answer = client.post(at_form("publish/"))
    assert client.get(answer["Location"])["Location"] == cast.url(f"portals/{portal.pk}/")
    current = now(portal).form.current
    assert current is not None
    assert current.number == 2
    assert "Emergency number" in client.get(at_form("preview/")).text


def test_forms_of_both_kinds_keep_to_their_places(cast: Cast, portal: Portal, client: Client, at_form: Any) -> None:
    form = create_form(cast.organization, title="Public one", actor=cast.owner)
    for page in ("build/", "look/", "preview/"):
        assert client.get(cast.url(f"forms/{portal.form_id}/{page}")).status_code == 404
        assert client.get(cast.url(f"portals/form/{form.pk}/{page}")).status_code == 404
    assert client.post(cast.url(f"forms/{portal.form_id}/delete/")).status_code == 404
    assert "Driver portal" not in client.get(cast.url("forms/")).text


def test_texts_are_listed_written_and_given_back(portal: Portal, client: Client, at: Any) -> None:
    PublicForm.objects.filter(pk=portal.form_id).update(languages=["en", "ar"])
    listed = client.get(at("texts/")).text
    assert listed.count('lang="ar"') >= 6
    assert "GSM-7" in listed
    assert "UCS-2" in listed
    page = client.get(at("texts/approved/en/")).text
    assert "approved your registration" in page
    assert "Back to our words" not in page
    refused = client.post(at("texts/approved/en/"), {"body": "Hello {{ name }}"})
    assert refused.status_code == 422
    assert "not always known" in refused.text
    assert "Hello {{ name }}" in refused.text
    assert "Saved." in client.post(at("texts/approved/en/"), {"body": "Welcome to {{ portal }}"}, follow=True).text
    assert "Yours in English" in client.get(at("texts/")).text
    assert texts.body_of(now(portal), "approved", "ar") == "Welcome to {{ portal }}"
    assert "Back to our words" in client.get(at("texts/approved/en/")).text
    client.post(at("texts/approved/en/"), {"do": "ours"})
    assert not portal.texts.exists()
    for wrong in ("texts/approved/de/", "texts/nothing/en/"):
        assert client.get(at(wrong)).status_code == 404


def test_text_is_measured_while_it_is_written(client: Client, at: Any) -> None:
    def measured(body: str) -> str:
        return re.sub(r"\s+", " ", client.post(at("texts/new_login/en/measure/"), {"body": body}).text)

    assert "Firefox on Android" in measured('On {{ device | "a phone" }}')
    assert "GSM-7" in measured("Hello")
    assert "UCS-2" in measured("Hello 👋")
    assert "not known here" in measured("{{ code }}")


def test_terms_are_published_in_versions(cast: Cast, portal: Portal, client: Client, at: Any) -> None:
    PublicForm.objects.filter(pk=portal.form_id).update(languages=["en", "de"])
    assert "nobody is asked to accept any" in client.get(at("terms/")).text
    assert client.post(at("terms/"), {"en": " ", "de": ""}).status_code == 422
    assert "Version 1 is what" in client.post(at("terms/"), {"en": "Be kind.\n\nAlways."}, follow=True).text
    assert "Nothing was changed" in client.post(at("terms/"), {"en": "Be kind.\n\nAlways."}, follow=True).text
    first = portal.all_terms.get()
    PortalUser.objects.create(portal=portal, phone="+4915112345678", status="active", terms=first)
    client.post(at("terms/"), {"en": "Be kinder."})
    page = re.sub(r"\s+", " ", client.get(at("terms/")).text)
    assert "Accepted by 1 person" in page
    assert "Accepted by 0 people" in page
    assert "Not written in Deutsch." in page
    assert "Nobody is asked" in client.post(at("terms/remove/"), follow=True).text
    assert "no terms to take away" in client.post(at("terms/remove/"), follow=True).text
    assert now(portal).terms is None


def test_every_change_has_a_sentence(portal: Portal, client: Client, at: Any) -> None:
    client.post(at("switch/"), {"to": "on"})
    client.post(at("switch/"), {"to": "off"})
    client.post(at("rules/"), {**RULES, "session_days": "8"})
    client.post(at("terms/"), {"en": "Be kind."})
    client.post(at("terms/remove/"))
    client.post(at("roles/add/"), {"name": "Drivers"})
    role = portal.roles.get()
    for what, name in (("rename", "Guests"), ("default", "Guests"), ("remove", "Guests")):
        client.post(at(f"roles/{role.pk}/"), {"do": what, "name": name})
    client.post(at("texts/approved/en/"), {"body": "Welcome."})
    client.post(at("texts/approved/en/"), {"do": "ours"})
    entries = AuditEntry.objects.filter(action__startswith="portal.").order_by("pk")
    assert [line_of(entry).sentence for entry in entries] == [
        "made the portal Driver portal",
        "switched the portal Driver portal on",
        "switched the portal Driver portal off",
        "changed length of a login of the portal Driver portal",
        "published version 1 of the terms of the portal Driver portal",
        "took the terms from the portal Driver portal",
        "added the role Drivers to the portal Driver portal",
        "renamed the role Drivers of the portal Driver portal to Guests",
        "made Guests the role of whoever registers in the portal Driver portal",
        "removed the role Guests, which 0 people had, from the portal Driver portal",
        "wrote the text “Approved” (English) of the portal Driver portal",
        "took our words back for the text “Approved” (English) of the portal Driver portal",
    ]


def test_published_forms_are_offered_inside(cast: Cast, portal: Portal, client: Client, at: Any) -> None:
    assert "No public form is published yet" in client.get(at("rules/")).text
    form, draft = (create_form(cast.organization, title=title, actor=cast.owner) for title in ("Slots", "Draft one"))
    publish(form, actor=cast.owner)
    shown = client.get(at("rules/")).text
    assert "Slots" in shown
    assert "Draft one" not in shown
    assert "Saved." in client.post(at("offers/"), {"form": [str(form.pk), str(draft.pk), "x"]}, follow=True).text
    assert [offer.form for offer in portal.offers.all()] == [form]
    assert "Nothing was changed." in client.post(at("offers/"), {"form": str(form.pk)}, follow=True).text
    client.post(at("offers/"))
    assert not portal.offers.exists()
